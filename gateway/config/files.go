package config

// Files lists the files that c names: keys, certificates, secrets. What is in
// them may change while c stays the same. Key sets (JWKS.File) are not among
// them, as they have a watch of their own, nor are a listener's certificates.
func (c *Config) Files() []string {
	var list []string
	for _, name := range c.secretFields() {
		if *name != "" {
			list = append(list, *name)
		}
	}
	return list
}

// fileFields lists every field that names a file.
func (c *Config) fileFields() []*string {
	list := append(c.secretFields(), &c.Admin.TokenFile, &c.Revocation.SecretFile,
		&c.Admin.TLS.CertFile, &c.Admin.TLS.KeyFile, &c.Admin.TLS.ClientCAFile)
	fleet := &c.Revocation.Fleet
	list = append(list, &fleet.PasswordFile, &fleet.CAFile, &fleet.ClientCertFile, &fleet.ClientKeyFile)
	for i := range c.Issuers {
		list = append(list, &c.Issuers[i].JWKS.File)
	}
	list = append(list, c.Revocation.Receiver.TLS.files()...)
	for i := range c.Listen {
		list = append(list, c.Listen[i].TLS.files()...)
	}
	return list
}

// files lists the fields that name a listener's files.
func (t *TLS) files() []*string {
	list := []*string{&t.ClientCAFile}
	for j := range t.Certificates {
		list = append(list, &t.Certificates[j].CertFile, &t.Certificates[j].KeyFile)
	}
	return list
}

// secretFields lists the fields that name what issuers and upstreams are
// reached with.
func (c *Config) secretFields() []*string {
	var list []*string
	for i := range c.Issuers {
		is := &c.Issuers[i]
		list = append(list,
			&is.Backend.CAFile, &is.Backend.ClientCertFile, &is.Backend.ClientKeyFile,
			&is.Introspection.ClientSecretFile, &is.Introspection.PrivateKeyFile,
			&is.Revocation.Events.PushTokenFile, &is.Revocation.Events.PollTokenFile)
	}
	for i := range c.Sites {
		tls := &c.Sites[i].UpstreamTLS
		list = append(list, &tls.CAFile, &tls.ClientCertFile, &tls.ClientKeyFile)
	}
	return list
}
