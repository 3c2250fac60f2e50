package fleet

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

func someRecords(from, n int) []revocation.Record {
	records := make([]revocation.Record, n)
	for i := range records {
		sum := sha256.Sum256([]byte(strconv.Itoa(from + i)))
		records[i] = revocation.Record{
			Kind: revocation.KindToken, Digest: revocation.Digest(sum[:16]), Until: uint32(time.Now().Unix()) + 3600,
		}
	}
	return records
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, maxRecords} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			server := startRedis(b)
			n := startNode(b, server.addr, nil)
			caughtUp(b, n)
			at := 0
			for b.Loop() {
				if err := n.Append(b.Context(), someRecords(at, size)); err != nil {
					b.Fatal(err)
				}
				at += size
			}
			b.ReportMetric(float64(server.do("MEMORY", "USAGE", DefaultPrefix+"until", "SAMPLES", 0).(int64))/float64(at), "state-bytes/record")
			b.ReportMetric(float64(server.do("MEMORY", "USAGE", DefaultPrefix+"stream", "SAMPLES", 0).(int64))/
				float64(server.do("XLEN", DefaultPrefix+"stream").(int64)), "stream-bytes/entry")
		})
	}
}

// From acknowledged on one node to in force on another.
func BenchmarkPropagation(b *testing.B) {
	server := startRedis(b)
	from, to := startNode(b, server.addr, nil), startNode(b, server.addr, nil)
	caughtUp(b, from, to)
	i := 0
	for b.Loop() {
		if err := from.accept(jti(i)); err != nil {
			b.Fatal(err)
		}
		for !to.revoked(i) {
			continue
		}
		i++
	}
}

func BenchmarkReadState(b *testing.B) {
	const held = 200_000
	server := startRedis(b)
	n := startNode(b, server.addr, nil)
	caughtUp(b, n)
	if err := n.Append(b.Context(), someRecords(0, held)); err != nil {
		b.Fatal(err)
	}
	s := n.current.Load()
	for b.Loop() {
		got := 0
		for cursor := "0"; ; {
			next, page, bad, err := s.page(b.Context(), cursor, pageRecords)
			if err != nil {
				b.Fatal(err)
			}
			records, bad := readPage(nil, page, bad)
			got += len(records)
			if cursor = next; cursor == "0" || len(bad) > 0 {
				break
			}
		}
		if got < held {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(held)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
