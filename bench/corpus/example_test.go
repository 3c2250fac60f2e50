package corpus_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func Example() {
	key, err := corpus.NewKey("EdDSA", "kid-1")
	if err != nil {
		panic(err)
	}
	token := corpus.NewToken("https://sso.example.vn/realms/citizen", "tthc", time.Now())
	token.AccountLevel = 1
	good, err := token.Sign(key)
	if err != nil {
		panic(err)
	}
	forged, err := token.SignFaulty(key, corpus.Forged)
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(good, "."), len(good) >= corpus.DefaultSize, good == forged)
	fmt.Println(strings.Count(string(corpus.KeySetJSON(key)), `"kid":"kid-1"`))
	// Output:
	// 2 true false
	// 1
}
