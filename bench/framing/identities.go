package framing

// identities holds what only a gateway may say, in the spellings that some upstream takes for it.
func identities() []Case {
	t := table{rule: "identity"}
	for _, name := range []string{
		"X-VNeID-Subject", "x-vneid-subject", "X-VNEID-SUBJECT", "X_VNeID_Subject", "x_vneid-subject", "X.VNeID.Subject", "XVNeIDSubject", "X--VNeID--Subject", "-X-VNeID-Subject", "X-VNeID-Subject-",
		"!X-VNeID-Subject~", "X-V-NeID-Subject", "X-VNeID", "X-VNeID-Account-Level", "X-VNeID-Anything", "x-vneid-issuer", "X|VNeID|Subject", "X-VNeID_Personal-Number",
	} {
		t.pass("forged: "+name, get+name+": forged\r\n\r\n", plain())
	}
	t.pass("forged and nominated", get+"Connection: X-VNeID-Subject\r\nX-VNeID-Subject: forged\r\n\r\n", plain())
	t.pass("forged twice", get+"X-VNeID-Subject: a\r\nX: y\r\nx_vneid_subject: b\r\n\r\n", plain("X: y"))
	for _, name := range []string{
		"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Proto",
		"X-Forwarded-Prefix", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Original-Host", "X-Request_Id", "Trace-parent",
	} {
		t.pass("not the client's to say: "+name, get+name+": 192.0.2.66\r\n\r\n", plain())
	}
	t.pass("a credential nobody asked for", get+"Authorization: Bearer x.y.z\r\nX: y\r\n\r\n", plain("X: y"))
	return t.cases
}
