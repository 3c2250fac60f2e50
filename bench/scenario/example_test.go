package scenario_test

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
	"github.com/vneid-gateway/vneid-gateway/bench/scenarios"
)

func ExampleScenario_Scale() {
	raw, _ := scenarios.Read("backend-outage")
	whole, err := scenario.Parse("backend-outage.yaml", raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	part, err := whole.Scale(0.05, 6*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	outage := part.Actions[0]
	fmt.Printf("%s: %.0f of %.0f requests/s, %s from %v for %v\n", part.Name, part.Load.Peak(), whole.Load.Peak(), outage.Name, outage.At, outage.For)
	// Output: backend-outage: 500 of 10000 requests/s, outage from 2s for 2s
}

func ExampleParse() {
	_, err := scenario.Parse("mine.yaml", []byte(`name: mine
title: a try
basis: nothing
load: { duration: 10s, per_second: 100 }
actions: [{ at: 20s, do: rolling_restart }]
thresholds: { latency_p99: 25ms }
`))
	fmt.Println(err)
	// Output: mine.yaml:5:13: actions[0].at: ends after the load, which lasts 10s
}
