package config

import (
	"io/fs"
	"os"
)

const (
	othersRead  fs.FileMode = 0o004
	othersWrite fs.FileMode = 0o002
)

// warnFiles finds secrets that others can read, and state that they can write.
func (c *Config) warnFiles(r *report) {
	root := (*path)(nil)
	secret := func(name string, p *path) {
		if grants(name, othersRead) {
			r.at(p, "%s is readable by every account of this machine; chmod o-r", quote(name))
		}
	}
	secret(c.Admin.TokenFile, root.key("admin").key("token_file"))
	secret(c.Admin.TLS.KeyFile, root.key("admin").key("tls").key("key_file"))
	secret(c.Revocation.SecretFile, root.key("revocation").key("secret_file"))
	fleet, at := &c.Revocation.Fleet, root.key("revocation").key("fleet")
	secret(fleet.PasswordFile, at.key("password_file"))
	secret(fleet.ClientKeyFile, at.key("client_key_file"))
	for j, cert := range c.Revocation.Receiver.TLS.Certificates {
		secret(cert.KeyFile, root.key("revocation").key("receiver").key("tls").key("certificates").index(j).key("key_file"))
	}
	for i := range c.Issuers {
		is, p := &c.Issuers[i], root.key("issuers").index(i)
		secret(is.Revocation.Events.PushTokenFile, p.key("revocation").key("events").key("push_token_file"))
		secret(is.Revocation.Events.PollTokenFile, p.key("revocation").key("events").key("poll_token_file"))
		secret(is.Backend.ClientKeyFile, p.key("backend").key("client_key_file"))
		secret(is.Introspection.ClientSecretFile, p.key("introspection").key("client_secret_file"))
		secret(is.Introspection.PrivateKeyFile, p.key("introspection").key("private_key_file"))
	}
	for i := range c.Listen {
		for j, cert := range c.Listen[i].TLS.Certificates {
			secret(cert.KeyFile, root.key("listen").index(i).key("tls").key("certificates").index(j).key("key_file"))
		}
	}
	for i := range c.Sites {
		secret(c.Sites[i].UpstreamTLS.ClientKeyFile, root.key("sites").index(i).key("upstream_tls").key("client_key_file"))
	}
	if dir := c.Revocation.Directory; grants(dir, othersWrite) {
		r.at(root.key("revocation").key("directory"), "%s is writable by every account of this machine: whoever writes there can undo revocations; chmod o-w", quote(dir))
	}
	if grants(c.StateDir, othersWrite) {
		r.at(root.key("state_dir"), "%s is writable by every account of this machine: whoever writes there can forge tokens; chmod o-w", quote(c.StateDir))
	}
}

// grants tells whether what name leads to exists and has the permission bit.
func grants(name string, bit fs.FileMode) bool {
	if name == "" {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().Perm()&bit != 0
}
