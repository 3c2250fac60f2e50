// Package kubernetes holds manifests for running the gateway, and loads on it, in a
// Kubernetes cluster, and the tests of them. There is no Go code in it besides: see
// README.md.
package kubernetes
