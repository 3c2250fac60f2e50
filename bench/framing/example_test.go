package framing_test

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
)

func ExampleCorpus() {
	for _, c := range framing.Corpus() {
		if c.Rule == "sequences" && c.Refused() {
			fmt.Println(c.Name)
			fmt.Println("answers:", c.Answers(), "the last:", c.Status, "requests that pass:", len(c.Seen))
			break
		}
	}
	// Output:
	// three good ones, then one with two lengths
	// answers: 4 the last: 400 requests that pass: 3
}
