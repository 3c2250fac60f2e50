package target

import "slices"

// use sums up.
func (s *Sampler) use(answered int64) *Use {
	u := &Use{
		Seconds: s.last.Sub(s.started).Seconds(), Complete: s.complete, Samples: s.samples,
		Cost: Cost{Seconds: s.cost.Seconds()}, Series: slices.Clone(s.points),
	}
	if len(s.failures) > 0 {
		u.Failures = s.failures
	}
	if s.samplesRSS > 0 {
		peak, mean := int64(s.peakRSS), int64(s.sumRSS/float64(s.samplesRSS))
		u.PeakRSSBytes, u.MeanRSSBytes = &peak, &mean
	}
	if len(s.instances) > 0 {
		u.Source = append(u.Source, "metrics")
		s.useOfMetrics(u)
	}
	if len(s.processes) > 0 {
		u.Source = append(u.Source, "proc")
		s.useOfProcesses(u)
	}
	if cpu, ok := s.cpu(); ok {
		if !u.Complete {
			cpu = s.cpuBefore // Some may have been sampled since, and others not.
		}
		u.CPUSeconds = &cpu
		if u.Seconds > 0 {
			cores := cpu / u.Seconds
			u.CPUCores = &cores
		}
		s.costOfRequest(u, answered)
	}
	return u
}

// costOfRequest divides the processor time by the requests that it was spent on. Where a part of
// the time is missing, nobody knows which those were.
func (s *Sampler) costOfRequest(u *Use, answered int64) {
	if u.Gone > 0 || !u.Complete {
		return
	}
	requests := answered
	u.RequestsOf = OfGenerator
	// With other processes watched than tell of their requests, these are not all that were paid for.
	if told := len(s.processes) == 0 || len(s.processes) == len(s.instances); told && u.Requests != nil {
		requests, u.RequestsOf = *u.Requests, OfTarget
	}
	if requests > 0 {
		each := *u.CPUSeconds * 1e6 / float64(requests)
		u.CPUMicrosecondsPerRequest = &each
	}
}

func (s *Sampler) useOfMetrics(u *Use) {
	var requests float64
	outcomes := map[string]float64{}
	counted, hasGo := true, true
	overhead, hasOverhead := histogram{}, false
	for _, i := range s.instances {
		u.Restarts += i.restarts
		u.Resets += i.resets
		u.Cost.ScrapedBytes += i.bytes
		counted = counted && i.requestsAreThere
		hasGo = hasGo && i.hasGo
		for _, r := range i.requests {
			requests += r.sum
			if r.outcome == "" || r.sum == 0 {
				continue
			}
			name := r.outcome
			if r.reason != "" && r.reason != "none" {
				name += ": " + r.reason
			}
			outcomes[name] += r.sum
		}
		if i.hasOverhead {
			hasOverhead = true
			overhead.add(&i.overhead.sum)
		}
		s.go_.Collections += int64(i.gc.sum)
	}
	if counted {
		n := int64(requests + 0.5)
		u.Requests = &n
	}
	if len(outcomes) > 0 {
		u.Outcomes = map[string]int64{}
		for name, n := range outcomes {
			u.Outcomes[name] = int64(n + 0.5)
		}
	}
	if hasGo {
		g := s.go_
		u.Go = &g
	}
	if hasOverhead {
		u.Overhead = overhead.overhead()
	}
}

func (s *Sampler) useOfProcesses(u *Use) {
	switches, io := Switches{}, IO{}
	counts, seesIO := true, true
	for _, p := range s.processes {
		u.Restarts += p.restarts
		if p.gone {
			u.Gone++
		}
		switches.Voluntary += int64(total(p.voluntary))
		switches.Involuntary += int64(total(p.forced))
		io.ReadBytes += int64(p.read.sum)
		io.WrittenBytes += int64(p.written.sum)
		counts, seesIO = counts && p.counts, seesIO && p.seesIO
	}
	if counts {
		u.Switches = &switches
	}
	if seesIO {
		u.IO = &io
	}
}

// overhead sums a distribution up.
func (h *histogram) overhead() *Overhead {
	list, kind := h.buckets()
	o := &Overhead{Count: int64(h.count + 0.5), Buckets: kind}
	if h.count > 0 {
		o.MeanMicroseconds = finite(h.sum / h.count * 1e6)
	}
	for _, p := range []struct {
		to *(*float64)
		q  float64
	}{{&o.P50Microseconds, 0.5}, {&o.P90Microseconds, 0.9}, {&o.P99Microseconds, 0.99}, {&o.P999Microseconds, 0.999}} {
		if seconds, ok := quantile(list, h.count, p.q); ok {
			us := seconds * 1e6
			*p.to = &us
		}
	}
	return o
}
