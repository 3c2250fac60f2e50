package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/peers"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// peerSections compares proxies that did the same job.
func peerSections(f *record.File) []section {
	p := f.Peers
	if p == nil {
		return nil
	}
	s := section{Title: "Side by side with other proxies"}
	s.Blocks = append(s.Blocks, say(plain, fmt.Sprintf("Each proxy had one processor to itself and did the same job: signature, issuer, audience, expiry, then to the upstream. %s, the proxies taking turns; what counts is the processor time of the proxy alone. Medians of the rounds, with the least and the most.",
		plural(p.Rounds, "round", "rounds"))))
	if p.Fit() {
		s.Blocks = append(s.Blocks, say(good, "Every proxy that was measured accepted and refused what the job demands."))
	}
	titles := map[string]string{}
	for _, proxy := range p.Proxies {
		titles[proxy.Name] = proxy.Title
		for _, algorithm := range slices.Sorted(maps.Keys(proxy.Unsupported)) {
			s.Blocks = append(s.Blocks, say(plain, fmt.Sprintf("%s was not measured with %s: %s", proxy.Title, algorithm, proxy.Unsupported[algorithm])))
		}
		for _, algorithm := range slices.Sorted(maps.Keys(proxy.Unfit)) {
			s.Blocks = append(s.Blocks, say(bad, fmt.Sprintf("%s was not measured with %s: it judged these tokens otherwise than the job demands: %s", proxy.Title, algorithm, strings.Join(proxy.Unfit[algorithm], ", "))))
		}
		s.Blocks = append(s.Blocks, block{Facts: []fact{{Name: proxy.Title, Value: strings.Join(proxy.Versions, ", ")}}})
	}
	s.Blocks = joinFacts(s.Blocks)
	var rows [][]string
	for i := range p.Figures {
		g := &p.Figures[i]
		rows = append(rows, []string{
			titleOf(titles, g.Proxy), orDash(g.Algorithm), g.Load, duration(g.CPU.Median), duration(g.CPU.Least) + " – " + duration(g.CPU.Most),
			rate(g.Answered.Median), share(g.BusyShare.Median),
		})
	}
	s.Blocks = append(s.Blocks, block{Table: tabulate("Processor time a request", []string{" proxy", " algorithm", " load", "CPU", "least – most", "answered/s", "busy"}, rows)})
	for _, algorithm := range p.Algorithms {
		if drawn, ok := peerBars(p, algorithm, titles); ok {
			s.Blocks = append(s.Blocks, show(drawn))
		}
	}
	return []section{s}
}

// peerBars is what a request costs each proxy with one algorithm, warm and cold.
func peerBars(p *peers.Result, algorithm string, titles map[string]string) (figure, bool) {
	b := bars{
		Title: "Processor time a request, " + algorithm, Axis: axis{Name: "µs of one processor", Zero: true},
		Groups: []barGroup{{Name: "warm: tokens seen before", Colour: 0}, {Name: "cold: every token new", Colour: 1}}, Value: duration,
	}
	greatest := 0.0
	var rows [][]string
	for _, proxy := range p.Proxies {
		warm, isWarm := p.Figure(proxy.Name, algorithm, peers.Warm)
		cold, isCold := p.Figure(proxy.Name, algorithm, peers.Cold)
		if !isWarm && !isCold {
			continue
		}
		title := titleOf(titles, proxy.Name)
		b.Names = append(b.Names, title)
		b.Groups[0].Values, b.Groups[1].Values = append(b.Groups[0].Values, warm.CPU.Median), append(b.Groups[1].Values, cold.CPU.Median)
		greatest = max(greatest, warm.CPU.Median, cold.CPU.Median)
		b.Alt += fmt.Sprintf("%s: %s warm, %s cold. ", title, duration(warm.CPU.Median), duration(cold.CPU.Median))
		rows = append(rows, []string{title, duration(warm.CPU.Median), duration(cold.CPU.Median)})
	}
	b.Axis.Label = in(greatest, unit{1, ""})
	return b.draw(tabulate("Processor time a request", []string{" proxy", "warm", "cold"}, rows))
}

func titleOf(titles map[string]string, name string) string {
	if t := titles[name]; t != "" {
		return t
	}
	return name
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// joinFacts puts the facts of several blocks into one, after the notes.
func joinFacts(blocks []block) (all []block) {
	var facts []fact
	for _, b := range blocks {
		if b.Facts != nil {
			facts = append(facts, b.Facts...)
			continue
		}
		all = append(all, b)
	}
	return append(all, block{Facts: facts})
}
