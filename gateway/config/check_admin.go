package config

import (
	"errors"
	"os"
	"syscall"
)

func checkAdmin(c *Config, r *report) {
	if c.Admin.TokenFile == "" {
		return
	}
	if _, err := c.Admin.Token(); err != nil {
		r.at((*path)(nil).key("admin").key("token_file"), "%s %s", quote(c.Admin.TokenFile), err)
	}
}

// checkStateDir finds what stands where the directory would have to. It
// creates nothing, and leaves to the start whether it could: check may run as
// somebody else.
func checkStateDir(c *Config, r *report) {
	if c.StateDir == "" {
		return
	}
	info, err := os.Stat(c.StateDir)
	if err == nil && !info.IsDir() || errors.Is(err, syscall.ENOTDIR) {
		r.at((*path)(nil).key("state_dir"), "%s is not a directory, or stands below something that is none", quote(c.StateDir))
	}
}
