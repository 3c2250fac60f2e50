package config

import "reflect"

// NeedsRestart lists the fields, in the words of the file (limits.connections),
// in which next differs from c and which a running gateway cannot change.
func (c *Config) NeedsRestart(next *Config) []string {
	return fixedDifferences(reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem(), nil)
}

func fixedDifferences(a, b reflect.Value, p *path) []string {
	var list []string
	for _, f := range fieldsOf(a.Type()) {
		av, bv, q := a.FieldByIndex(f.index), b.FieldByIndex(f.index), p.key(f.key)
		switch {
		case f.restart:
			if !reflect.DeepEqual(av.Interface(), bv.Interface()) {
				list = append(list, q.String())
			}
		case isSection(f.typ):
			list = append(list, fixedDifferences(av, bv, q)...)
		}
	}
	return list
}
