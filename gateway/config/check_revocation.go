package config

import (
	"errors"
	"reflect"
	"slices"
)

// checkRevocation checks what is kept of revocations and how they come.
func checkRevocation(c *Config, r *report) {
	v, p := &c.Revocation, (*path)(nil).key("revocation")
	checkDirectory(v.Directory, p.key("directory"), r)
	if v.HardStale < v.SoftStale {
		r.at(p.key("hard_stale"), "%s is less than soft_stale, %s", shortDuration(v.HardStale), shortDuration(v.SoftStale))
	}
	if v.SecretFile != "" {
		if _, err := v.Secret(); err != nil {
			r.at(p.key("secret_file"), "%s %s", quote(v.SecretFile), err)
		}
	}
	if v.Directory == "" {
		checkIdle([]string{"max_entries", "log_bytes", "keep", "secret_file", "receiver", "fleet"}, "without directory", p, r)
	}
	checkReceiver(&v.Receiver, p.key("receiver"), r)
	checkFleet(v, p.key("fleet"), r)
	for i := range c.Issuers {
		checkSources(c, &c.Issuers[i], (*path)(nil).key("issuers").index(i).key("revocation"), r)
	}
}

// checkReceiver checks the listener on which identity backends call.
func checkReceiver(v *Receiver, p *path, r *report) {
	if v.Address == "" {
		checkIdle([]string{"tls", "requests", "request_timeout"}, "without address", p, r)
		return
	}
	host, port := checkAddress(v.Address, p.key("address"), r)
	checkTLS(&v.TLS, p.key("tls"), r)
	if port != "" && !v.TLS.Enabled() && !isLoopback(host) {
		r.at(p.key("address"), "%s is not on loopback: give it tls, or keep it on loopback behind a proxy", quote(v.Address))
	}
}

// checkFleet checks how the server of a fleet is reached.
func checkFleet(v *Revocation, p *path, r *report) {
	f := &v.Fleet
	if !f.Enabled() {
		keys := keysOf(fieldsOf(reflect.TypeFor[Fleet]()))
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == "redis" || key == "socket" })
		checkIdle(keys, "without redis or socket", p, r)
		return
	}
	switch {
	case len(f.Redis) > 0 && f.Socket != "":
		r.at(p.key("socket"), "cannot be given beside redis")
	case f.Master == "" && len(f.Redis) > 1:
		r.at(p.key("redis"), "has %d addresses; one server, or with master its sentinels", len(f.Redis))
	case f.Master != "" && f.Socket != "":
		r.at(p.key("master"), "has no effect where socket is given")
	}
	for i, address := range f.Redis {
		if address != "" { // checkElements knows ""
			checkAddress(address, p.key("redis").index(i), r)
		}
	}
	if v.SecretFile == "" && v.Directory != "" {
		r.at(p.key("redis"), "needs revocation.secret_file: the nodes of a fleet keep identifiers under the same secret")
	}
	if f.PasswordFile != "" {
		_, err := readLine(f.PasswordFile)
		checkSecretFile(f.PasswordFile, err, "", p.key("password_file"), r)
	}
	if !f.TLS {
		checkIdle([]string{"ca_file", "client_cert_file", "client_key_file", "server_name"}, "without tls", p, r)
	}
	checkRoots(f.CAFile, p.key("ca_file"), r)
	checkClientPair(f.ClientCertFile, f.ClientKeyFile, p, r)
}

// checkSources checks how an issuer tells of revocations.
func checkSources(c *Config, is *Issuer, p *path, r *report) {
	s := &is.Revocation
	checkEvents(c, is, p.key("events"), r)
	checkStatusLists(is, p.key("status_lists"), r)
	if !s.Logout.Enabled() {
		checkIdle([]string{"untyped", "ends"}, "without audience", p.key("logout"), r)
	} else if c.Revocation.Receiver.Address == "" {
		r.at(p.key("logout").key("audience"), "needs revocation.receiver.address: that is where logouts come to")
	}
	switch enabled := s.Events.Enabled() || s.Logout.Enabled(); {
	case enabled && c.Revocation.Directory == "":
		r.at(p, "needs revocation.directory: what is acknowledged must be kept")
	case (enabled || s.StatusLists.Enabled()) && !is.HasKeySet():
		r.at(p, "needs jwks: what the issuer tells is signed")
	}
}

func checkStatusLists(is *Issuer, p *path, r *report) {
	s := &is.Revocation.StatusLists
	if !s.Enabled() {
		keys := keysOf(fieldsOf(reflect.TypeFor[StatusLists]()))
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == "addresses" || key == "ignore" })
		checkIdle(keys, "without addresses", p, r)
		return
	}
	if s.Ignore {
		r.at(p.key("ignore"), "cannot be true where addresses are given")
	}
	for i, address := range s.Addresses {
		if address == "" {
			continue // checkElements says so
		}
		if msg := is.badFetchURL(address); msg != "" {
			r.at(p.key("addresses").index(i), "%s", msg)
		}
	}
	if s.RefreshMax < s.RefreshMin {
		r.at(p.key("refresh_max"), "%s is less than refresh_min, %s", shortDuration(s.RefreshMax), shortDuration(s.RefreshMin))
	}
	if s.SoftStale < s.RefreshMax {
		r.at(p.key("soft_stale"), "%s is less than refresh_max, %s: a list would count as stale before it is due", shortDuration(s.SoftStale), shortDuration(s.RefreshMax))
	}
	if s.HardStale < s.SoftStale {
		r.at(p.key("hard_stale"), "%s is less than soft_stale, %s", shortDuration(s.HardStale), shortDuration(s.SoftStale))
	}
}

func checkEvents(c *Config, is *Issuer, p *path, r *report) {
	e := &is.Revocation.Events
	if !e.Enabled() {
		keys := keysOf(fieldsOf(reflect.TypeFor[EventSource]()))
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == "push" || key == "poll_url" })
		checkIdle(keys, "without push or poll_url", p, r)
		return
	}
	if len(e.Audience) == 0 && !r.incomplete(p.key("audience")) {
		r.at(p.key("audience"), "is required: for whom the events are (RFC 8417 section 2.2)")
	}
	switch {
	case !e.Push:
		checkIdle([]string{"push_token_file", "push_heartbeat"}, "without push", p, r)
	case c.Revocation.Receiver.Address == "":
		r.at(p.key("push"), "needs revocation.receiver.address: that is where events come to")
	}
	if e.PollURL == "" {
		checkIdle([]string{"poll_token_file", "poll_every", "poll_timeout"}, "without poll_url", p, r)
	} else if msg := is.badFetchURL(e.PollURL); msg != "" {
		r.at(p.key("poll_url"), "%s", msg)
	}
	for name, at := range map[string]*path{e.PushTokenFile: p.key("push_token_file"), e.PollTokenFile: p.key("poll_token_file")} {
		if name == "" {
			continue
		}
		if _, err := BearerToken(name); err != nil {
			r.at(at, "%s %s", quote(name), err)
		}
	}
}

// BearerToken reads a bearer token (RFC 6750 section 2.1) from the file name. Its
// errors name neither the file nor anything in it.
func BearerToken(name string) ([]byte, error) {
	token, err := readLine(name)
	switch {
	case err != nil:
		return nil, err
	case !isBearerToken(string(token)):
		return nil, errors.New("does not hold a bearer token: letters, digits and -._~+/, = at the end (RFC 6750 section 2.1)")
	}
	return token, nil
}
