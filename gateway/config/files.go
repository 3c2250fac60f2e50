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
	list := append(c.secretFields(), &c.Admin.TokenFile)
	for i := range c.Issuers {
		list = append(list, &c.Issuers[i].JWKS.File)
	}
	for i := range c.Listen {
		tls := &c.Listen[i].TLS
		list = append(list, &tls.ClientCAFile)
		for j := range tls.Certificates {
			list = append(list, &tls.Certificates[j].CertFile, &tls.Certificates[j].KeyFile)
		}
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
			&is.Introspection.ClientSecretFile, &is.Introspection.PrivateKeyFile)
	}
	for i := range c.Sites {
		tls := &c.Sites[i].UpstreamTLS
		list = append(list, &tls.CAFile, &tls.ClientCertFile, &tls.ClientKeyFile)
	}
	return list
}
