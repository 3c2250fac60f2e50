// Package deploy holds what is shipped with the gateway besides its code, and
// the tests of it.
package deploy

import _ "embed"

// ExampleConfig is the commented example configuration, gateway.yaml.
//
//go:embed gateway.yaml
var ExampleConfig []byte
