package token_test

import (
	"testing"
	"testing/quick"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestCompactKeepsEveryClaim(t *testing.T) {
	t.Parallel()
	claims := token.Claims{
		Issuer: "https://sso.example", Subject: "s-1", TokenID: "jti-1", SessionID: "", ClientID: "cổng-dịch-vụ", ACR: "2",
		ExpiresAt: 5, NotBefore: 2, IssuedAt: 3, AuthTime: 4, Status: token.NewStatusReference("https://sso.example/list/1", 1<<53),
		Kind: token.KindOfficer, Level: 2, KindUnmapped: true, LevelUnmapped: true,
	}
	compact := claims.Compact()
	if got := compact.Expand(); got != claims {
		t.Errorf("%+v; want %+v", got, claims)
	}
	if got, want := compact.Bytes(), int64(len("s-1jti-1cổng-dịch-vụ2https://sso.example/list/1")); got != want {
		t.Errorf("%d bytes; want %d", got, want)
	}
	var none token.Compact
	if got := none.Expand(); got != (token.Claims{}) || none.Bytes() != 0 {
		t.Errorf("%+v", got)
	}
	if err := none.ValidAt(time.Unix(1, 0), 0); err != token.ErrExpired { //nolint:errorlint // the very one
		t.Errorf("no token: %v", err)
	}
}

func TestCompactKeepsAnyStringsAndJudgesDatesAsTheClaimsDo(t *testing.T) {
	t.Parallel()
	if err := quick.Check(func(claims struct {
		Subject, TokenID, SessionID, ClientID, ACR string
		ExpiresAt, NotBefore                       int8
		Kind                                       uint8
	}, now int8, leeway uint8,
	) bool {
		c := token.Claims{
			Subject: claims.Subject, TokenID: claims.TokenID, SessionID: claims.SessionID, ClientID: claims.ClientID, ACR: claims.ACR,
			ExpiresAt: int64(claims.ExpiresAt), NotBefore: int64(claims.NotBefore), Kind: token.Kind(claims.Kind),
		}
		k := c.Compact()
		at, slack := time.Unix(int64(now), 0), time.Duration(leeway)*time.Second
		return k.Expand() == c && k.ValidAt(at, slack) == c.ValidAt(at, slack) //nolint:errorlint // the very same
	}, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}
