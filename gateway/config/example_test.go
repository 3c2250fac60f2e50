package config_test

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

func ExampleParse() {
	const file = `
listen: [{ address: ":8080" }]
issuers:
  - name: vneid
    issuer: https://sso.example.vn
    jwks: { url: https://sso.example.vn/certs, refresh: 30 }
    audience: { any_of: [tthc] }
sites:
  - name: hanoi
    hosts: [dichvucong.hanoi.gov.vn]
    upstreams: ["http://10.0.0.11:8080"]
    issuers: [vnied]
    mode: enforced
`
	_, err := config.Parse("gateway.yaml", []byte(file), ".")
	fmt.Println(err)
	// Output:
	// gateway.yaml:6:57: issuers[0].jwks.refresh: a bare number has no unit; write a duration such as 30s, 5m or 1h30m
	// gateway.yaml:12:15: sites[0].issuers[0]: no issuer is named "vnied"; did you mean vneid?
	// gateway.yaml:13:11: sites[0].mode: "enforced" is not allowed; allowed: enforce, observe
}
