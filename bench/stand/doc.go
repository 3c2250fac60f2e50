// Package stand starts what a gateway is measured in, on the loopback interface of this machine: the issuer of a corpus,
// an upstream for each of its sites, and one or more real gateway processes, with the corpus' configuration.
//
// # Processes
//
// A gateway is the binary that [Config.Gateway] names: "serve --config FILE", with what the stand decides (addresses,
// directories) given by --set, so that the file stays as it is. Replicas share one port (SO_REUSEPORT), which the stand
// holds from beginning to end: the kernel spreads connections over them, by a hash and so not evenly, and no balancer of
// the stand's own is in the way of what is measured. A replica that is restarted leaves as it does in production, with a
// drain, and comes back when it is ready; until then the others serve.
//
// Every process is ended by its pid in [Stand.Close], and by the kernel where the process of the stand dies first (on
// Linux). Every wait is bounded by [Config.Patience]; the error of one that failed has the last lines of the process's
// log.
//
// # What is not measured
//
// Issuer and upstreams are part of the calling process. An upstream costs some 10 µs of a processor a request, which
// is on top of what the generator reports as its own; on a machine that is full, it is taken from the gateway.
package stand
