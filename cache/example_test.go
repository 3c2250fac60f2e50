package cache_test

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// On each request a verdict is looked up by the whole token, and asked whether it is usable now.
func ExampleVerdicts() {
	verdicts, err := cache.NewVerdicts(cache.VerdictsConfig{MaxBytes: 64 << 20, MaxAge: 5 * time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verdicts.Close()

	verify := func(raw []byte, current *token.Verifier, keys *cache.Keys, now time.Time) (*token.Claims, error) {
		digest := cache.Digest(raw)
		if v, ok := verdicts.GetDigest(&digest); ok && v.Usable(now, current) == nil {
			claims := v.Claims.Expand()
			return &claims, nil
		}
		parsed, err := token.Parse(raw)
		if err != nil {
			return nil, err
		}
		verified, err := current.Verify(&parsed, keys, now)
		if err != nil {
			return nil, err
		}
		verdicts.PutDigest(&digest, verified, current, now)
		return verified.Claims, nil
	}
	_, err = verify([]byte("not a token"), nil, nil, time.Now())
	fmt.Println(err)
	// Output: token: malformed: not three segments
}
