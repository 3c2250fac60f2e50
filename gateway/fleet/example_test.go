package fleet_test

import (
	"context"
	"errors"
	"log"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/fleet"
)

// A node journals what it accepts, then tells the fleet, then acknowledges.
func Example() {
	secret := revocation.NewSecret() // The same on all nodes, from a file.
	j, _, err := journal.Open(journal.Config{Dir: "/var/lib/vneid-gateway/revocations", Secret: secret})
	if err != nil {
		log.Fatal(err)
	}
	f, err := fleet.New(fleet.Config{
		Redis:    fleet.Redis{Addresses: []string{"redis.internal:6379"}, PasswordFile: "/etc/vneid-gateway/redis"},
		Dir:      "/var/lib/vneid-gateway/fleet",
		SecretID: secret.ID(),
		Apply:    j.AddRecords,
		Records:  j.Store().Records,
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = f.Run(context.Background()) }()

	record, err := j.Store().Record(revocation.Entry{
		Kind: revocation.KindSession, Issuer: "https://sso.example.vn", ID: "session", Until: time.Now().Add(time.Hour),
	})
	if err != nil {
		log.Fatal(err)
	}
	records := []revocation.Record{record}
	if err := j.AddRecords(records); err != nil {
		log.Fatal(err)
	}
	if err := f.Append(context.Background(), records); errors.Is(err, fleet.ErrAway) {
		log.Print("not acknowledged: it will be sent again")
	}
}
