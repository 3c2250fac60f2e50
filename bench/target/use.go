package target

// Use is what the target used between two samples, and the form of its JSON. What is
// not known is nil. A sum over several processes counts memory that they share for
// each of them.
type Use struct {
	// Source says where it is from: "metrics", "proc", or both; then processor time
	// and memory are those of /proc.
	Source []string `json:"source"`
	// Seconds is the time between the first sample and the last that was good.
	Seconds float64 `json:"seconds"`
	// Complete says that the last sample was good: the use is that of the whole time, but
	// for the end of a process that is Gone.
	Complete bool `json:"complete"`

	CPUSeconds *float64 `json:"cpu_seconds"`
	// CPUCores is CPUSeconds over Seconds.
	CPUCores *float64 `json:"cpu_cores"`
	// CPUMicrosecondsPerRequest is the processor time over the requests of RequestsOf:
	// [OfTarget], those that the target counted, or [OfGenerator], the answers that the
	// generator had, where the target does not count them or where not as many processes
	// tell of requests as are watched in /proc. Nil where a part of the processor time is
	// missing, as a process has ended or the last sample was not good; then RequestsOf
	// is empty.
	CPUMicrosecondsPerRequest *float64 `json:"cpu_microseconds_per_request"`
	RequestsOf                string   `json:"cpu_divided_by_requests_of,omitzero"`
	PeakRSSBytes              *int64   `json:"peak_rss_bytes"`
	MeanRSSBytes              *int64   `json:"mean_rss_bytes"`

	// Requests is how many the target counted, and Outcomes how many of them by
	// outcome and reason, as "allowed" and "refused: token_expired".
	Requests *int64           `json:"requests"`
	Outcomes map[string]int64 `json:"requests_by_outcome,omitzero"`
	// Overhead is what the target says that it added to the requests.
	Overhead *Overhead `json:"overhead,omitzero"`

	// Restarts is how often a process was found to be another than before, Gone how many
	// processes of /proc had ended, of which the use is that until the sample before, and Resets how often counters of a process
	// that was not restarted went back.
	Restarts int `json:"restarts"`
	Gone     int `json:"processes_gone"`
	Resets   int `json:"resets"`

	Go       *Go       `json:"go,omitzero"`
	Switches *Switches `json:"context_switches,omitzero"`
	IO       *IO       `json:"io,omitzero"`

	// Samples is how many were good, and Failures how many were not, by reason.
	Samples  int            `json:"samples"`
	Failures map[string]int `json:"failed_samples,omitzero"`
	// Cost is what sampling took of the generator's machine.
	Cost Cost `json:"sampling_cost"`

	Series []Point `json:"series"`
}

// Whose count of requests [Use.RequestsOf] names.
const (
	OfTarget    = "target"
	OfGenerator = "generator"
)

// Overhead is a distribution of times as the target's own histogram has it. A
// percentile is nil where it lies above all of the histogram's buckets.
type Overhead struct {
	Count            int64    `json:"count"`
	MeanMicroseconds float64  `json:"mean_microseconds"`
	P50Microseconds  *float64 `json:"p50_microseconds"`
	P90Microseconds  *float64 `json:"p90_microseconds"`
	P99Microseconds  *float64 `json:"p99_microseconds"`
	P999Microseconds *float64 `json:"p99_9_microseconds"`
	// Buckets is "native" or "classic"; see the package.
	Buckets string `json:"buckets"`
}

// Go is what a Go process says of itself.
type Go struct {
	PeakHeapBytes  int64 `json:"peak_heap_bytes"`
	PeakGoroutines int64 `json:"peak_goroutines"`
	PeakThreads    int64 `json:"peak_threads"`
	Collections    int64 `json:"collections"`
}

// Switches is how often threads gave up a processor, and had it taken away.
type Switches struct {
	Voluntary   int64 `json:"voluntary"`
	Involuntary int64 `json:"involuntary"`
}

// IO is what system calls read and wrote, sockets included where they use read and
// write.
type IO struct {
	ReadBytes    int64 `json:"read_bytes"`
	WrittenBytes int64 `json:"written_bytes"`
}

// Cost is what it took to sample.
type Cost struct {
	// Seconds is the time from asking to having read the answers, most of which is
	// waiting: more than the processor time.
	Seconds float64 `json:"seconds"`
	// ScrapedBytes is how long the answers were.
	ScrapedBytes int64 `json:"scraped_bytes"`
}

// Point is what was used in a stretch of time that ends with a sample.
type Point struct {
	// EndSeconds is since the first sample.
	EndSeconds float64  `json:"end_seconds"`
	CPUCores   *float64 `json:"cpu_cores"`
	RSSBytes   *int64   `json:"rss_bytes"`
}
