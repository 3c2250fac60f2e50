package population_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// small is a population of every class that is minted in no time.
func small() population.Config {
	c := population.DefaultConfig()
	c.Warm, c.Cold, c.Reuse = 400, 500, population.Reuse{ZipfExponent: 1, ColdShare: 0.25}
	c.Algorithms = []population.Part[string]{{Of: "ES256", Share: 3}, {Of: "EdDSA", Share: 1}}
	c.Classes = nil
	for _, class := range population.Classes()[1:] {
		c.Classes = append(c.Classes, population.Part[population.Class]{Of: class, Share: 0.03})
	}
	return c
}

// tiny is the same with fewer requests.
func tiny() population.Config {
	c := small()
	c.Warm, c.Cold = 60, 60
	return c
}

func mint(t *testing.T, c population.Config) *population.Corpus {
	t.Helper()
	made, err := population.Mint(t.Context(), t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func lines(t *testing.T, c *population.Corpus) (all []population.Line) {
	t.Helper()
	for line, err := range c.Lines() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

func TestTokensAreForNobodyElseToRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes")
	}
	dir := filepath.Join(t.TempDir(), "corpus")
	if _, err := population.Mint(t.Context(), dir, tiny()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		".": 0o700, population.RequestsFile: 0o600, population.RevokedFile: 0o600, population.IssuerFile: 0o600, population.AdminToken: 0o600, population.ClientSecret: 0o600,
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&^want != 0 {
			t.Errorf("%s: %v, %v, want %v at most", name, info.Mode().Perm(), err, want)
		}
	}
}

func TestTokensAreWhatTheirClassSays(t *testing.T) {
	t.Parallel()
	c := tiny()
	start := time.Now().Truncate(time.Second)
	made := mint(t, c)
	m := made.Manifest
	if left := m.ExpiresAt.Sub(start); left < c.Lifetime || left > c.Lifetime+time.Minute {
		t.Errorf("expires in %v", left)
	}
	keys := keysOf(t, made)
	revoked := strings.Fields(read(t, made, population.RevokedFile))
	opaque := read(t, made, population.IssuerFile)
	seen := map[population.Class]int{}
	for _, l := range lines(t, made) {
		seen[l.Class]++
		raw, bearer := strings.CutPrefix(l.Authorization, "Bearer ")
		if l.Class == population.Anonymous || l.Class == population.Public {
			if l.Authorization != "" || (l.Class == population.Public) != strings.HasPrefix(l.Path, "/tra-cuu/") {
				t.Errorf("%+v", l)
			}
			continue
		}
		if l.Class == population.Opaque || l.Class == population.OpaqueInactive {
			if !bearer || strings.Contains(raw, ".") || !strings.Contains(opaque, raw) {
				t.Errorf("%+v", l)
			}
			continue
		}
		claims := jwt.MapClaims{}
		_, err := jwt.NewParser().ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
			kid, _ := t.Header["kid"].(string)
			if keys[kid] == nil {
				return nil, errNoKey
			}
			return keys[kid], nil
		})
		if want := jwtFaults[l.Class]; !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", l.Class, err, want)
		}
		jti, _ := claims["jti"].(string)
		audience, _ := claims.GetAudience()
		issuer, _ := claims.GetIssuer()
		legacy := l.Class == population.Legacy || l.Class == population.LegacyOrganisation
		organisation := l.Class == population.Organisation || l.Class == population.LegacyOrganisation
		level1 := l.Class == population.ValidLevel1 || l.Class == population.LevelTooLow
		level, _ := claims["account_level"].(float64)
		switch {
		case (l.Class == population.Revoked) != slices.Contains(revoked, jti):
			t.Errorf("%s: in %s: %v", l.Class, population.RevokedFile, slices.Contains(revoked, jti))
		case (l.Class == population.WrongAudience) == slices.Contains(audience, "tthc"):
			t.Errorf("%s: audience %q", l.Class, audience)
		case l.Class != population.WrongIssuer && issuer != m.Issuers[map[bool]int{legacy: 1}[true]].URL:
			t.Errorf("%s: issuer %q", l.Class, issuer)
		case organisation != (claims["account_type"] == "2"), organisation != (level == 0), level1 != (level == 1):
			t.Errorf("%s: kind %v, level %v", l.Class, claims["account_type"], level)
		}
	}
	if len(seen) != len(population.Classes()) {
		t.Errorf("classes: %v", seen)
	}
	if len(revoked) != seen[population.Revoked] {
		t.Errorf("%d to be revoked, %d of the class", len(revoked), seen[population.Revoked])
	}
}

var errNoKey = errors.New("no such key")

// jwtFaults is what a verifier finds wrong that knows the keys and the time.
var jwtFaults = map[population.Class]error{
	population.Expired: jwt.ErrTokenExpired, population.NotYetValid: jwt.ErrTokenNotValidYet,
	population.Forged: jwt.ErrTokenSignatureInvalid, population.Altered: jwt.ErrTokenSignatureInvalid, population.UnknownKey: errNoKey,
}

func TestSharesHoldForRequestsHoweverPopularEachIs(t *testing.T) {
	t.Parallel()
	c := small()
	c.Sites[0].Share, c.Sites[1].Share = 3, 1
	made := mint(t, c)
	for _, class := range made.Manifest.Classes {
		want := 0.03
		if class.Class == population.Valid {
			want = 1 - 0.03*float64(len(population.Classes())-1)
		}
		if math.Abs(class.RequestShare-want) > 0.005 {
			t.Errorf("%s: %.4f of the requests, want %.4f", class.Class, class.RequestShare, want)
		}
	}
	// What the manifest says is what a load gets.
	picker, err := population.NewPicker(made.Manifest.Seed, made.Manifest.Reuse, made.Manifest.Pools)
	if err != nil {
		t.Fatal(err)
	}
	all := lines(t, made)
	got, sites := map[population.Class]float64{}, map[string]float64{}
	const requests = 2000 // 500 of them cold
	for n := range int64(requests) {
		i, cold := picker.Pick(n)
		if cold {
			i += c.Warm
		}
		got[all[i].Class] += 1. / requests
		sites[all[i].Host] += 1. / requests
	}
	for _, class := range made.Manifest.Classes {
		if math.Abs(got[class.Class]-class.RequestShare) > 0.04 {
			t.Errorf("%s: %.3f of a load, the manifest says %.3f", class.Class, got[class.Class], class.RequestShare)
		}
	}
	if share := sites[c.Sites[0].Host]; math.Abs(share-0.75) > 0.06 {
		t.Errorf("%.3f of a load for the first site, want 0.75", share)
	}
	if a := made.Manifest.Algorithms; a[0].Tokens < 2*a[1].Tokens || a[1].Tokens == 0 {
		t.Errorf("algorithms %v", a)
	}
}

func TestSizesAreThoseThatWereAskedFor(t *testing.T) {
	t.Parallel()
	c := tiny()
	c.Classes, c.Sizes = nil, []population.Part[int]{{Of: 1000, Share: 1}, {Of: 4000, Share: 1}}
	for _, l := range lines(t, mint(t, c)) {
		n := len(l.Authorization) - len("Bearer ")
		if (n < 1000 || n > 1020) && (n < 4000 || n > 4020) {
			t.Errorf("a token of %d bytes", n)
		}
	}
}

func TestOrganisationsPassOnAnOldLoginUntilTheirCutover(t *testing.T) {
	t.Parallel()
	for name, cutover := range map[string]time.Time{"never": {}, "later": time.Now().Add(48 * time.Hour)} {
		c := tiny()
		c.OrganisationCutover = cutover
		for _, l := range lines(t, mint(t, c)) {
			if l.Class == population.LegacyOrganisation && (l.Expect.Status[0] != 200 || l.Expect.Code != "") {
				t.Fatalf("%s: %v", name, l.Expect)
			}
		}
	}
}

func TestCorpusOfAnEarlierRunIsKeptUnlessToBeReplaced(t *testing.T) {
	t.Parallel()
	c := tiny()
	dir := t.TempDir()
	if _, err := population.Mint(t.Context(), dir, c); err != nil {
		t.Fatal(err)
	}
	before := readFile(t, dir, population.RequestsFile)
	if _, err := population.Mint(t.Context(), dir, c); !errors.Is(err, population.ErrConfig) {
		t.Errorf("again: %v", err)
	}
	if readFile(t, dir, population.RequestsFile) != before {
		t.Error("it was written over")
	}
	c.Replace = true
	if _, err := population.Mint(t.Context(), dir, c); err != nil || readFile(t, dir, population.RequestsFile) == before {
		t.Errorf("it was not replaced: %v", err)
	}
}

func TestMintingThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := tiny()
	c.Cold = 20_000
	c.Progress = func(done, all int64) {
		if done > 100 {
			cancel()
		}
		if all != c.Warm+c.Cold {
			t.Errorf("%d in all", all)
		}
	}
	dir := t.TempDir()
	if _, err := population.Mint(ctx, dir, c); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

func TestSecretsAreForNobodyElseToRead(t *testing.T) {
	t.Parallel()
	made := mint(t, tiny())
	for _, name := range []string{population.IssuerFile, population.AdminToken, population.ClientSecret} {
		info, err := os.Stat(filepath.Join(made.Dir(), name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if strings.Contains(read(t, made, population.ManifestFile)+read(t, made, population.GatewayFile), "PRIVATE") {
		t.Error("a private key is for all to read")
	}
}

func read(t *testing.T, c *population.Corpus, name string) string {
	t.Helper()
	return readFile(t, c.Dir(), name)
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
