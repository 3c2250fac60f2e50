package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func Example() {
	parent, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(parent) }()
	cfg := journal.Config{Dir: filepath.Join(parent, "revocations")}

	j, _, err := journal.Open(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = j.Add(revocation.Entry{
		Kind: revocation.KindToken, Issuer: "https://sso.example.vn", ID: "7c9e6679", Until: time.Now().Add(time.Hour),
	})
	fmt.Println("acknowledged:", err == nil)
	_ = j.Close()

	j, report, err := journal.Open(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = j.Close() }()
	fmt.Println("entries:", report.Entries, "clean:", report.Clean())
	fmt.Println("revoked:", j.Store().Revoked(&token.Claims{Issuer: "https://sso.example.vn", TokenID: "7c9e6679"}, nil))
	// Output:
	// acknowledged: true
	// entries: 1 clean: true
	// revoked: true
}
