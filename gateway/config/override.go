package config

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	envPrefix = "VNEID_GATEWAY_"

	// envConfig names the configuration file and is no field.
	envConfig = envPrefix + "CONFIG"
)

// Override sets one scalar field, such as a command-line flag does.
type Override struct {
	// Source is what faults name, such as --admin-address.
	Source string

	// Field is the field's path, such as admin.address or listen[0].address.
	// Elements of lists must exist in the file.
	Field string

	// Value is written as in YAML, without quotes.
	Value string
}

// setting is one scalar field that can be overridden.
type setting struct {
	at    *path
	env   string
	value reflect.Value
}

// settings lists the scalar fields below v. Entries of maps are none.
func settings(v reflect.Value, p *path, env string) []setting {
	switch {
	case isSection(v.Type()):
		var out []setting
		for _, f := range fieldsOf(v.Type()) {
			out = append(out, settings(v.FieldByIndex(f.index), p.key(f.key), env+"_"+strings.ToUpper(f.key))...)
		}
		return out
	case v.Kind() == reflect.Slice:
		var out []setting
		for i := range v.Len() {
			out = append(out, settings(v.Index(i), p.index(i), env+"_"+strconv.Itoa(i))...)
		}
		return out
	case v.Kind() == reflect.Map:
		return nil
	}
	return []setting{{p, env, v}}
}

// override applies the environment and then the overrides to v.
func override(v reflect.Value, o options, r *report) {
	if len(o.environ) == 0 && len(o.overrides) == 0 {
		return
	}
	all := settings(v, nil, strings.TrimSuffix(envPrefix, "_"))
	byEnv, byField := make(map[string]setting, len(all)), make(map[string]setting, len(all))
	for _, s := range all {
		byEnv[s.env] = s
		byField[s.at.String()] = s
	}
	environ := slices.Clone(o.environ)
	slices.Sort(environ)
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, envPrefix) || name == envConfig {
			continue
		}
		s, known := byEnv[name]
		if !known {
			if !serviceLink(strings.TrimPrefix(name, envPrefix), value) {
				r.put(place{source: clip(name)}, nil, "names no single-valued field of this configuration%s",
					didYouMean(name, mapKeys(byEnv)))
			}
			continue
		}
		s.apply(name, value, r)
	}
	for _, ov := range o.overrides {
		s, known := byField[ov.Field]
		if !known {
			r.put(place{source: ov.Source}, nil, "%s is no single-valued field of this configuration%s",
				quote(ov.Field), didYouMean(ov.Field, mapKeys(byField)))
			continue
		}
		s.apply(ov.Source, ov.Value, r)
	}
}

func (s setting) apply(source, value string, r *report) {
	where := place{source: source}
	if msg := setScalar(s.value, scalar{value, formUntyped}); msg != "" {
		r.decode(where, s.at, "%s", msg)
		return
	}
	r.places.set(s.at, where)
}

func mapKeys(m map[string]setting) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys) // the hint must not depend on the map's order
	return keys
}

// serviceLink tells whether the variable is one that Kubernetes injects for a
// Service whose name begins with vneid-gateway, rather than a mistyped field.
func serviceLink(suffix, value string) bool {
	const (
		names  = `^(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)$`
		values = `^((tcp|udp|sctp)://.*|tcp|udp|sctp|[0-9]+|[0-9a-f.:]+)$`
	)
	return regexp.MustCompile(names).MatchString(suffix) && regexp.MustCompile(values).MatchString(value)
}
