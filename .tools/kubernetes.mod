module github.com/vneid-gateway/vneid-gateway

go 1.26.0

// The OpenAPI documents of the Kubernetes API server, which this module carries, are
// what the manifests of deploy/kubernetes are held against. Nothing of it is built.
require sigs.k8s.io/kubectl-validate v0.0.4
