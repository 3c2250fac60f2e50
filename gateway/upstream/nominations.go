package upstream

import (
	"bytes"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// maxNominations bounds the names in Connection fields. Software that is in use
// nominates one or two; without a bound a head full of names would cost as many
// comparisons as names times fields.
const maxNominations = 16

var connectionName = []byte("Connection")

// nominations are the field names that a message's Connection fields list (RFC
// 9110 section 7.6.1). They alias the field lines.
type nominations struct {
	names [maxNominations][]byte
	n     int
	// close and keepAlive tell of the connection options of these names (RFC
	// 9112 section 9.3).
	close, keepAlive bool
}

// collect reads the Connection fields among the field lines in raw. It reports
// false where they hold more names than there is room for.
func (n *nominations) collect(raw []byte) bool {
	fields := wire.NewFields(raw)
	for fields.Next() {
		if len(fields.Name) == len(connectionName) && bytes.EqualFold(fields.Name, connectionName) && !n.add(fields.Value) {
			return false
		}
	}
	return true
}

// add notes the names of one Connection field. It reports false where there are
// too many.
func (n *nominations) add(list []byte) bool {
	for len(list) > 0 {
		item := list
		if comma := bytes.IndexByte(list, ','); comma >= 0 {
			item, list = list[:comma], list[comma+1:]
		} else {
			list = nil
		}
		item = bytes.Trim(item, " \t")
		switch {
		case len(item) == 0:
		case bytes.EqualFold(item, []byte("close")):
			n.close = true
		case bytes.EqualFold(item, []byte("keep-alive")):
			n.keepAlive = true
		case n.n == maxNominations:
			return false
		default:
			n.names[n.n] = item
			n.n++
		}
	}
	return true
}

// has reports whether name is nominated, in any case.
func (n *nominations) has(name []byte) bool {
	for _, nominated := range n.names[:n.n] {
		if bytes.EqualFold(nominated, name) {
			return true
		}
	}
	return false
}
