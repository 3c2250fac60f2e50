package framing

// badCodings lists values of Transfer-Encoding that are not exactly chunked.
func badCodings() []string {
	return []string{
		"xchunked", "chunkedx", "chunk", "chunked, chunked", "chunked,chunked", "identity", "identity, chunked", "chunked, identity", "gzip",
		"gzip, chunked", "chunked, gzip", "deflate", "compress", "chunked ;x", "chunked;x", "chunked; q=0.5", `"chunked"`, "'chunked'", "",
		",chunked", "chunked,", ", ,chunked", "chunked chunked", "chu nked", "x chunked", "\xa0chunked", "chunked\xa0", "chun\xe2\x84\xaaed",
		"trailers", "49", "chunked\\", "*", "none", "cow",
	}
}

// codings holds Transfer-Encoding in every form but exactly chunked. RFC 9112 sections 6.1 and 7.
func codings() []Case {
	t := table{rule: "transfer-encoding"}
	body := aChunk(inner) + "0\r\n\r\n"
	for _, value := range badCodings() {
		t.refuse(501, "Transfer-Encoding "+value, post+"Transfer-Encoding: "+value+crlf+crlf+body)
	}
	for _, lines := range []string{
		"Content-Length: 49\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nContent-Length: 49",
		"Content-Length: 0\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nContent-Length: 0",
		"content-length: 49\r\nX: y\r\ntransfer-encoding: CHUNKED",
		"Content-Length: 49\r\nTransfer-Encoding: identity",
		"Content-Length: 49\r\nTransfer-Encoding: xchunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
		"Transfer-Encoding: chunked\r\nX: y\r\ntransfer-encoding: chunked",
		"Transfer_Encoding: chunked", "transfer_encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
		"Transfer Encoding: chunked", " Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked", "Transfer-Encoding\x00: chunked",
		"Transfer-Encoding: \x0bchunked", "Transfer-Encoding: chunked\x00", "Transfer-Encoding: \x00chunked", "Transfer-Encoding: chunked\x7f",
		"Transfer-Encoding:\x0cchunked", "Transfer-Encoding: chunked\r", "Transfer-Encoding\r: chunked", "X: y\nTransfer-Encoding: chunked",
		"X: y\rTransfer-Encoding: chunked", "X: y\r\n Transfer-Encoding: chunked", "X: y\r\n\tTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\n identity",
		"Transfer-Encoding", "Transfer-Encoding=chunked", "Content-Length: 49\r\nTransfer_Encoding: chunked", "Transfer-Encoding: chunked\r\nContent_Length: 49",
		"\xc5\xbftransfer-encoding: chunked", "Tran\xc5\xbffer-Encoding: chunked",
	} {
		t.refuse(400, lines, post+lines+crlf+crlf+body)
	}
	t.refuse(501, "folded value", post+"Transfer-Encoding:\r\n chunked\r\n\r\n"+body)
	for _, version := range []string{"GET /c HTTP/1.0\r\n", "POST /c HTTP/1.0\r\n"} {
		t.refuse(400, "in "+version, version+known+"Transfer-Encoding: chunked\r\n\r\n"+body)
	}
	t.refuse(400, "in HTTP/1.0 with keep-alive", "POST /c HTTP/1.0\r\n"+known+"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"+body)
	for _, line := range []string{
		"Transfer-Encoding: chunked", "Transfer-Encoding:chunked", "transfer-encoding: chunked", "TRANSFER-ENCODING: CHUNKED",
		"Transfer-Encoding: Chunked", "Transfer-Encoding: chunked  ", "Transfer-Encoding: \t chunked\t",
	} {
		t.pass("read as chunked: "+line, post+line+crlf+crlf+body, chunked(inner))
	}
	for _, name := range []string{"TransferEncoding", "Transfer--Encoding", "Transfer.Encoding", "Transfer-Encoding-", "-Transfer-Encoding", "TE"} {
		t.pass("dropped: "+name, get+name+": chunked"+crlf+crlf, plain())
		t.pass("dropped beside a length: "+name, post+name+": chunked"+crlf+length(len(body))+body, sized(body))
	}
	for _, name := range []string{"X-Transfer-Encoding", "Transfer-Encodings", "Transfer"} {
		t.pass("of no meaning: "+name, get+name+": chunked"+crlf+crlf, plain(name+": chunked"))
	}
	return t.cases
}
