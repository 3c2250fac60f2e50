package fleet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Redis is where the server is and how it is reached. Files are read anew with each connection, so what is in them may
// be replaced at any time.
type Redis struct {
	// Addresses are host:port. Without Master there is exactly one, of a server that is not a cluster; with it they are
	// those of the sentinels. Required, unless Socket is given.
	Addresses []string
	// Socket is the path of a unix socket, in place of Addresses. Optional.
	Socket string
	// Master is the name under which sentinels know the server. Optional. The sentinels themselves are asked without
	// password, by the same TLS.
	Master string
	// Database is the number of the database. Optional. Defaults to 0. From 0 to 1,000,000.
	Database int
	// Username is the ACL user. Optional. Empty means the default user.
	Username string
	// PasswordFile is a file with the password; a line feed at its end is left out. At most 4 KiB. Optional. Empty means
	// no password.
	PasswordFile string
	// TLS says that the connection is encrypted, TLS 1.2 or later. Optional.
	TLS bool
	// CAFile is a PEM file with the roots that the server's certificate must come from. Optional. Empty means the
	// system's.
	CAFile string
	// CertFile and KeyFile are the certificate and key that this node shows. Optional; both or neither.
	CertFile, KeyFile string
	// ServerName is the name in the server's certificate. Optional. Defaults to the host of the address.
	ServerName string
	// Timeout bounds each call, connecting included. Optional. Defaults to DefaultTimeout. From MinTimeout to
	// MaxTimeout.
	Timeout time.Duration
	// Connections is the number of calls of Append that are under way with Redis at once; more wait for their turn, as
	// long as Timeout. Optional. Defaults to DefaultConnections. From 1 to MaxConnections.
	Connections int
}

// Bounds and defaults of Redis.
const (
	MinTimeout         = 50 * time.Millisecond
	DefaultTimeout     = time.Second
	MaxTimeout         = 30 * time.Second
	DefaultConnections = 8
	MaxConnections     = 256
	maxDatabase        = 1_000_000

	maxPasswordBytes = 4 << 10
	maxPEMBytes      = 1 << 20

	// ownConnections are those of a session besides Append's: follower, forwarder, uploader, and whoever keeps house.
	ownConnections = 4
)

func (r *Redis) complete() error {
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if r.Connections == 0 {
		r.Connections = DefaultConnections
	}
	switch {
	case (len(r.Addresses) > 0) == (r.Socket != ""):
		return fmt.Errorf("%w: either addresses or a socket", ErrConfig)
	case r.Master == "" && len(r.Addresses) > 1:
		return fmt.Errorf("%w: several addresses are those of sentinels, and need the master's name", ErrConfig)
	case r.Master != "" && r.Socket != "":
		return fmt.Errorf("%w: sentinels are not behind a socket", ErrConfig)
	case r.Database < 0 || r.Database > maxDatabase:
		return fmt.Errorf("%w: database %d", ErrConfig, r.Database)
	case r.Timeout < MinTimeout || r.Timeout > MaxTimeout:
		return fmt.Errorf("%w: timeout %v", ErrConfig, r.Timeout)
	case r.Connections < 1 || r.Connections > MaxConnections:
		return fmt.Errorf("%w: %d connections", ErrConfig, r.Connections)
	case (r.CertFile == "") != (r.KeyFile == ""):
		return fmt.Errorf("%w: certificate and key go together", ErrConfig)
	case !r.TLS && (r.CAFile != "" || r.CertFile != "" || r.ServerName != ""):
		return fmt.Errorf("%w: TLS files without TLS", ErrConfig)
	}
	for _, a := range r.Addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("%w: address %q is not host:port", ErrConfig, a)
		}
	}
	return nil
}

// dial returns a client for one session. It connects when it is first used. The client repeats nothing by itself: a
// call that failed ends the session, and the next begins with a look at what Redis still has.
func (r *Redis) dial() (*redis.Client, error) {
	password, err := readSecretFile(r.PasswordFile)
	if err != nil {
		return nil, err
	}
	secure, err := r.tls()
	if err != nil {
		return nil, err
	}
	pool := r.Connections + ownConnections
	if r.Master != "" {
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: r.Master, SentinelAddrs: r.Addresses,
			Protocol: 2, DisableIdentity: true,
			Username: r.Username, Password: password, DB: r.Database, TLSConfig: secure,
			MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			DialTimeout: r.Timeout, ReadTimeout: r.Timeout, WriteTimeout: r.Timeout, PoolTimeout: r.Timeout,
			PoolSize: pool, MaxActiveConns: pool, PipelinePoolSize: -1,
		}), nil
	}
	o := &redis.Options{
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Username:                 r.Username, Password: password, DB: r.Database, TLSConfig: secure,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: r.Timeout, ReadTimeout: r.Timeout, WriteTimeout: r.Timeout, PoolTimeout: r.Timeout,
		PoolSize: pool, MaxActiveConns: pool, PipelinePoolSize: -1,
	}
	if o.Network, o.Addr = "unix", r.Socket; r.Socket == "" {
		o.Network, o.Addr = "tcp", r.Addresses[0]
	}
	return redis.NewClient(o), nil
}

func (r *Redis) tls() (*tls.Config, error) {
	if !r.TLS {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.ServerName}
	if c.ServerName == "" && r.Master == "" && r.Socket == "" {
		c.ServerName, _, _ = net.SplitHostPort(r.Addresses[0])
	}
	if r.CAFile != "" {
		pem, err := readBounded(r.CAFile, maxPEMBytes)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: no PEM certificate in the file of roots", errCredentials)
		}
	}
	if r.CertFile != "" {
		cert, err := readBounded(r.CertFile, maxPEMBytes)
		if err != nil {
			return nil, err
		}
		key, err := readBounded(r.KeyFile, maxPEMBytes)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errCredentials, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func readSecretFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := readBounded(path, maxPasswordBytes)
	return string(bytes.TrimRight(b, "\r\n")), err
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: %s is longer than %d bytes", errCredentials, path, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	return b, nil
}

// silent keeps the client from writing to standard error: every failure is an error that is counted and told here, and
// the client's lines are not fit for a log of ours.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
