// Package gateway verifies VNeID-issued tokens in front of TTHC systems.
//
// handler.go holds the whole life of a request. What a request needs to know is
// one immutable state, built from one configuration (build.go); what is decided
// is decided by packages token and policy, which do no I/O; what is answered
// without an upstream is answered by package reject.
package gateway
