package config

import (
	"errors"
	"os"
	"syscall"
)

func checkAdmin(c *Config, r *report) {
	t, p := &c.Admin.TLS, (*path)(nil).key("admin").key("tls")
	if t.CertFile != "" || t.KeyFile != "" {
		checkPair(t.CertFile, t.KeyFile, "cert_file", "key_file", p, r)
	} else if t.ClientCAFile != "" {
		r.at(p.key("client_ca_file"), "has no effect without cert_file and key_file")
	}
	checkRoots(t.ClientCAFile, p.key("client_ca_file"), r)
	if c.Admin.TokenFile == "" {
		return
	}
	if _, err := c.Admin.Token(); err != nil {
		r.at((*path)(nil).key("admin").key("token_file"), "%s %s", quote(c.Admin.TokenFile), err)
	}
}

// checkDirectory finds what stands where the directory name, where there is one,
// would have to. It creates nothing, and leaves to the start whether it could:
// check may run as somebody else.
func checkDirectory(name string, at *path, r *report) {
	if name == "" {
		return
	}
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() || errors.Is(err, syscall.ENOTDIR) {
		r.at(at, "%s is not a directory, or stands below something that is none", quote(name))
	}
}
