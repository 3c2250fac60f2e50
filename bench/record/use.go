package record

import "github.com/vneid-gateway/vneid-gateway/bench/target"

// mergeUse tells what the target used. All machines watched the same target, and so it is not
// added up: it is what the first of them saw that saw the whole time. What a request cost is
// known where the target's own count of requests is what counts; a machine knows only its own.
func mergeUse(parts []*Run, answered int64) *target.Use {
	var seen *target.Use
	for _, p := range parts {
		if p.Target == nil {
			continue
		}
		if seen == nil || p.Target.Complete && !seen.Complete {
			seen = p.Target
		}
	}
	if seen == nil {
		return nil
	}
	use := *seen
	if use.Requests == nil || use.RequestsOf == target.OfGenerator {
		use.CPUMicrosecondsPerRequest = nil
		if use.CPUSeconds != nil && answered > 0 && use.Complete && use.Gone == 0 {
			each := *use.CPUSeconds * 1e6 / float64(answered)
			use.CPUMicrosecondsPerRequest = &each
		}
	}
	return &use
}
