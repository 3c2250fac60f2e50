// Package bench is the root of what measures and tests a gateway from the outside: corpus makes keys and tokens,
// backend is a fake identity backend, origin a sample TTHC upstream, foreign an OpenID provider that this project did
// not write.
//
// Nothing below bench imports the gateway: a gateway is driven as a process, over HTTP, so any gateway can be driven.
package bench
