package revocation_test

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func Example() {
	store, err := revocation.New(revocation.Config{MaxEntries: 1_000_000}, revocation.NewSecret())
	if err != nil {
		fmt.Println(err)
		return
	}
	logout := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	store.Advance(logout)

	// Whatever the subject was given up to the logout, for as long as such a token can live, leeway included.
	err = store.Add(revocation.Entry{
		Kind:   revocation.KindSubject,
		Issuer: "https://sso.example.vn/realms/citizen",
		ID:     "5b1f0f9e",
		Before: logout,
		Until:  logout.Add(30*time.Minute + 30*time.Second),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	claims := &token.Claims{Issuer: "https://sso.example.vn/realms/citizen", Subject: "5b1f0f9e"}
	claims.IssuedAt = logout.Unix() - 60
	fmt.Println("before the logout:", store.Find(claims, nil))
	claims.IssuedAt = logout.Unix() + 60
	fmt.Println("after a new login:", store.Find(claims, nil))
	// Output:
	// before the logout: subject
	// after a new login: none
}
