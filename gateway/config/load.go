package config

import (
	"path/filepath"
	"reflect"
)

// Option adds to what the configuration file says.
type Option func(*options)

type options struct {
	environ   []string
	overrides []Override
}

// WithEnvironment lets the VNEID_GATEWAY_… variables of environ, in the form
// of os.Environ, override scalar fields of the file.
func WithEnvironment(environ []string) Option {
	return func(o *options) { o.environ = append(o.environ, environ...) }
}

// WithOverrides sets single fields, after the file and the environment, in the
// order given.
func WithOverrides(overrides ...Override) Option {
	return func(o *options) { o.overrides = append(o.overrides, overrides...) }
}

// Load reads, decodes and validates the configuration file at path. Relative
// paths in it are relative to its directory.
//
// An error is always a [*Faults]; a file that cannot be read is one, too.
func Load(path string, opts ...Option) (*Config, error) {
	data, err := readBounded(path, maxFileBytes)
	if err != nil {
		r := newReport(path)
		r.put(place{source: path}, nil, "%s", err)
		return nil, r.err()
	}
	return Parse(path, data, filepath.Dir(path), opts...)
}

// Parse decodes and validates data, a configuration file that faults call name
// and whose relative paths are relative to dir. It does not keep data.
//
// An error is always a [*Faults].
func Parse(name string, data []byte, dir string, opts ...Option) (*Config, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	r := newReport(name)
	root := parseDocument(data, r)
	if root == nil {
		return nil, r.err()
	}
	c := &Config{places: r.places}
	v := reflect.ValueOf(c).Elem()
	setDefaults(v)
	decode(root, v, nil, r)
	override(v, o, r)
	normalise(c, dir)
	checkTags(v, nil, r)
	settle(c)
	check(c, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// normalise brings c into the form that its readers rely on.
func normalise(c *Config, dir string) {
	for _, name := range append(c.fileFields(), &c.StateDir, &c.Revocation.Directory) {
		*name = join(dir, *name)
	}
	for i := range c.Sites {
		for j, h := range c.Sites[i].Hosts {
			c.Sites[i].Hosts[j] = normalHost(h)
		}
	}
}

func join(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
