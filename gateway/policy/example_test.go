package policy_test

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func ExampleDecide() {
	vietnam := time.FixedZone("+07", 7*60*60)
	site, err := policy.Compile(policy.SiteSpec{
		Name:    "hanoi",
		Issuers: []string{"vneid", "legacy-hanoi"},
		Rules: []policy.RuleSpec{
			{Paths: []string{"/tra-cuu/**"}, Access: policy.Public},
			{Paths: []string{"/api/ho-so/**"}, Methods: []string{"POST"}, Require: policy.Requirement{Level: 2}},
		},
		Cutover: []policy.CutoverSpec{{
			Kinds: []token.Kind{token.KindCitizen},
			Only:  []string{"vneid"},
			From:  time.Date(2024, 7, 1, 0, 0, 0, 0, vietnam),
		}},
	})
	if err != nil {
		panic(err)
	}
	now := time.Date(2024, 8, 1, 9, 0, 0, 0, vietnam)
	citizen := &token.Claims{Kind: token.KindCitizen, Level: 1}

	submit := site.Match([]byte("POST"), []byte("/api/ho-so/1"))
	fmt.Println(policy.Decide(submit, site, citizen, "vneid", now).Reason)
	fmt.Println(policy.Decide(submit, site, citizen, "legacy-hanoi", now).Reason)
	search := site.Match([]byte("GET"), []byte("/tra-cuu/1"))
	fmt.Println(policy.Decide(search, site, nil, "", now).Outcome)
	// Output:
	// account_level_insufficient
	// vneid_account_required
	// allow
}
