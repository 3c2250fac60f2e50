package record_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// What a command writes, and how it is read.
func Example() {
	f := &record.File{Format: record.Format, Command: []string{"vneid-bench", "attack"}, StartedAt: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC), Scale: 0.1}
	var w strings.Builder
	if err := f.Write(&w); err != nil {
		fmt.Println(err)
		return
	}
	read, err := record.Read(strings.NewReader(w.String()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read.Command, read.Scale)
	// Output: [vneid-bench attack] 0.1
}
