package reject_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	jwt "github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// contract is what clients, alerts and dashboards rely on.
var contract = map[reject.Code]string{
	reject.InternalError:                 "internal_error 500 internal close",
	reject.CredentialMissing:             "credential_missing 401 unauthenticated",
	reject.CredentialsMultiple:           "credentials_multiple 400 unauthenticated invalid_request",
	reject.CredentialMalformed:           "credential_malformed 400 unauthenticated invalid_request",
	reject.TokenTooLarge:                 "token_too_large 400 unauthenticated invalid_request",
	reject.TokenMalformed:                "token_malformed 401 unauthenticated invalid_token",
	reject.TokenAlgorithmNotAllowed:      "token_algorithm_not_allowed 401 unauthenticated invalid_token",
	reject.TokenTypeNotAllowed:           "token_type_not_allowed 401 unauthenticated invalid_token",
	reject.TokenCriticalHeader:           "token_critical_header 401 unauthenticated invalid_token",
	reject.IssuerUnknown:                 "issuer_unknown 401 unauthenticated invalid_token",
	reject.IssuerNotAccepted:             "issuer_not_accepted 401 unauthenticated invalid_token",
	reject.KeyUnknown:                    "key_unknown 401 unauthenticated invalid_token",
	reject.KeyWithdrawn:                  "key_withdrawn 401 unauthenticated invalid_token",
	reject.SignatureInvalid:              "signature_invalid 401 unauthenticated invalid_token",
	reject.TokenExpired:                  "token_expired 401 unauthenticated invalid_token",
	reject.TokenNotYetValid:              "token_not_yet_valid 401 unauthenticated invalid_token",
	reject.TokenIssuedInFuture:           "token_issued_in_future 401 unauthenticated invalid_token",
	reject.TokenLifetimeTooLong:          "token_lifetime_too_long 401 unauthenticated invalid_token",
	reject.AudienceMismatch:              "audience_mismatch 401 unauthenticated invalid_token",
	reject.ClaimMissing:                  "claim_missing 401 unauthenticated invalid_token",
	reject.ClaimInvalid:                  "claim_invalid 401 unauthenticated invalid_token",
	reject.TokenRevoked:                  "token_revoked 401 unauthenticated invalid_token",
	reject.TokenInactive:                 "token_inactive 401 unauthenticated invalid_token",
	reject.AuthenticationInsufficient:    "authentication_insufficient 401 forbidden insufficient_user_authentication",
	reject.VNeIDAccountRequired:          "vneid_account_required 403 forbidden insufficient_scope",
	reject.AccountKindNotAllowed:         "account_kind_not_allowed 403 forbidden insufficient_scope",
	reject.AccountKindUnknown:            "account_kind_unknown 403 forbidden insufficient_scope",
	reject.AccountLevelInsufficient:      "account_level_insufficient 403 forbidden insufficient_scope",
	reject.CitizenAccountCreationRemoved: "citizen_account_creation_removed 403 forbidden",
	reject.RouteDenied:                   "route_denied 403 forbidden",
	reject.HostUnknown:                   "host_unknown 421 invalid close",
	reject.RequestMalformed:              "request_malformed 400 invalid close",
	reject.TargetMalformed:               "target_malformed 400 invalid close",
	reject.HeaderTooLarge:                "header_too_large 431 invalid close",
	reject.TargetTooLong:                 "target_too_long 414 invalid close",
	reject.BodyTooLarge:                  "body_too_large 413 invalid close",
	reject.ExpectationFailed:             "expectation_failed 417 invalid close",
	reject.MethodNotSupported:            "method_not_supported 501 invalid close",
	reject.TransferEncodingUnsupported:   "transfer_encoding_unsupported 501 invalid close",
	reject.HTTPVersionUnsupported:        "http_version_unsupported 505 invalid close",
	reject.RequestTimeout:                "request_timeout 408 invalid close retryable",
	reject.RateLimited:                   "rate_limited 429 invalid retryable after",
	reject.ClientGone:                    "client_gone 499 invalid close",
	reject.KeysUnavailable:               "keys_unavailable 503 unavailable retryable after",
	reject.KeysStale:                     "keys_stale 503 unavailable retryable after",
	reject.IntrospectionUnavailable:      "introspection_unavailable 503 unavailable retryable after",
	reject.RevocationsStale:              "revocations_stale 503 unavailable retryable after",
	reject.TokenStatusUnavailable:        "token_status_unavailable 503 unavailable retryable after",
	reject.Overloaded:                    "overloaded 503 unavailable retryable after",
	reject.UpstreamSaturated:             "upstream_saturated 503 unavailable retryable after",
	reject.UpstreamUnavailable:           "upstream_unavailable 503 unavailable retryable after",
	reject.UpstreamUnreachable:           "upstream_unreachable 502 upstream retryable",
	reject.UpstreamResponseMalformed:     "upstream_response_malformed 502 upstream",
	reject.UpstreamClosed:                "upstream_closed 502 upstream",
	reject.UpstreamTimeout:               "upstream_timeout 504 upstream",
}

func TestCodesKeepTheirContract(t *testing.T) {
	t.Parallel()
	for _, c := range reject.Codes() {
		got := fmt.Sprintf("%v %d %v", c, c.Status(), c.Class())
		if e := c.BearerError(); e != "" {
			got += " " + e
		}
		if c.Closes() {
			got += " close"
		}
		if c.Retryable() {
			got += " retryable"
		}
		if c.RetryAfter() > 0 {
			got += " after"
		}
		if want := contract[c]; got != want {
			t.Errorf("code %d: %q, want %q", c, got, want)
		}
	}
	if got, want := len(reject.Codes()), len(contract); got != want {
		t.Errorf("%d codes, %d in the contract", got, want)
	}
}

func TestCodeNamesAreDistinctSnakeCase(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := make(map[string]bool)
	for _, c := range reject.Codes() {
		if !form.MatchString(c.String()) || seen[c.String()] {
			t.Errorf("code %d: name %q is malformed or taken", c, c)
		}
		seen[c.String()] = true
	}
}

func TestCodeOutsideTheEnumerationIsAnInternalError(t *testing.T) {
	t.Parallel()
	if c := reject.Code(255); c.String() != "internal_error" || c.Status() != 500 || !c.Closes() {
		t.Errorf("code 255: %v %d", c, c.Status())
	}
	if c := reject.Class(255); c.String() != "internal" {
		t.Errorf("class 255: %v", c)
	}
}

// A verdict's sentinels, by name: the names are compared with the source, so
// that a new one cannot be left without a code.
var tokenErrors = map[string]struct {
	err  error
	want reject.Code
}{
	"ErrTooLarge":       {jwt.ErrTooLarge, reject.TokenTooLarge},
	"ErrMalformed":      {jwt.ErrMalformed, reject.TokenMalformed},
	"ErrCritical":       {jwt.ErrCritical, reject.TokenCriticalHeader},
	"ErrAlgorithm":      {jwt.ErrAlgorithm, reject.TokenAlgorithmNotAllowed},
	"ErrType":           {jwt.ErrType, reject.TokenTypeNotAllowed},
	"ErrIssuer":         {jwt.ErrIssuer, reject.IssuerUnknown},
	"ErrKeyUnknown":     {jwt.ErrKeyUnknown, reject.KeyUnknown},
	"ErrKeyWithdrawn":   {jwt.ErrKeyWithdrawn, reject.KeyWithdrawn},
	"ErrSignature":      {jwt.ErrSignature, reject.SignatureInvalid},
	"ErrExpired":        {jwt.ErrExpired, reject.TokenExpired},
	"ErrNotYetValid":    {jwt.ErrNotYetValid, reject.TokenNotYetValid},
	"ErrIssuedInFuture": {jwt.ErrIssuedInFuture, reject.TokenIssuedInFuture},
	"ErrInactive":       {jwt.ErrInactive, reject.TokenInactive},
	"ErrLifetime":       {jwt.ErrLifetime, reject.TokenLifetimeTooLong},
	"ErrAudience":       {jwt.ErrAudience, reject.AudienceMismatch},
	"ErrClaimMissing":   {jwt.ErrClaimMissing, reject.ClaimMissing},
	"ErrClaimInvalid":   {jwt.ErrClaimInvalid, reject.ClaimInvalid},
	// Faults of a key set or a configuration are no refusals of a token.
	"ErrKeySet":  {jwt.ErrKeySet, reject.InternalError},
	"ErrProfile": {jwt.ErrProfile, reject.InternalError},
}

func TestEveryTokenErrorHasItsOwnCode(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../token/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Err") {
				continue
			}
			declared++
			if _, ok := tokenErrors[name.Name]; !ok {
				t.Errorf("token.%s has no code", name.Name)
			}
		}
		return true
	})
	if declared != len(tokenErrors) {
		t.Errorf("%d errors declared, %d tested", declared, len(tokenErrors))
	}
	seen := make(map[reject.Code]string)
	for name, tc := range tokenErrors {
		if got := reject.FromToken(fmt.Errorf("token: at the edge: %w", tc.err)); got != tc.want {
			t.Errorf("%s: code %v, want %v", name, got, tc.want)
		}
		if other, ok := seen[tc.want]; ok && tc.want != reject.InternalError {
			t.Errorf("%s and %s share code %v", name, other, tc.want)
		}
		seen[tc.want] = name
	}
	for _, err := range []error{nil, errors.New("other")} {
		if got := reject.FromToken(err); got != reject.InternalError {
			t.Errorf("%v: code %v, want internal_error", err, got)
		}
	}
}

func TestEveryPolicyReasonHasItsOwnCode(t *testing.T) {
	t.Parallel()
	for _, r := range policy.Reasons() {
		c := reject.FromPolicy(policy.Decision{Reason: r})
		// One word for one thing: a code carries its reason's name.
		if c.String() != r.String() {
			t.Errorf("reason %v: code %v", r, c)
		}
	}
	for _, d := range []policy.Decision{
		{},
		{Outcome: policy.Allow},
		{Outcome: policy.Allow, Reason: policy.ReasonRouteDenied},
		{Reason: 255},
	} {
		if got := reject.FromPolicy(d); got != reject.InternalError {
			t.Errorf("%+v: code %v, want internal_error", d, got)
		}
	}
}

func TestServerErrorsBecomeTheirCodes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want reject.Code
	}{
		{&fasthttp.ErrSmallBuffer{}, reject.HeaderTooLarge},
		{fmt.Errorf("body: %w", fasthttp.ErrBodyTooLarge), reject.BodyTooLarge},
		{fmt.Errorf("head: %w", fasthttp.ErrUnsupportedTransferEncoding), reject.TransferEncodingUnsupported},
		{fmt.Errorf("head: %w", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}), reject.RequestTimeout},
		{fmt.Errorf("head: %w", &net.OpError{Op: "read", Err: net.ErrClosed}), reject.RequestMalformed},
		{fasthttp.ErrDuplicateContentLength, reject.RequestMalformed},
		{errors.New("other"), reject.RequestMalformed},
	} {
		if got := reject.FromServer(tc.err); got != tc.want {
			t.Errorf("%v: code %v, want %v", tc.err, got, tc.want)
		}
	}
}
