package identity_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

var freshNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func httpDate(after time.Duration) string { return freshNow.Add(after).Format(http.TimeFormat) }

func TestCachingFieldsAreReadAsRFC9111Says(t *testing.T) {
	t.Parallel()
	const none = -1 * time.Second
	for name, c := range map[string]struct {
		header http.Header
		want   time.Duration // none where it does not say
	}{
		"nothing":                      {nil, none},
		"other directives":             {http.Header{"Cache-Control": {"public, must-revalidate, s-maxage=5, x-max-age=5"}}, none},
		"max-age":                      {http.Header{"Cache-Control": {"public, max-age=90"}}, 90 * time.Second},
		"any case":                     {http.Header{"Cache-Control": {"PUBLIC,MAX-AGE=90"}}, 90 * time.Second},
		"quoted":                       {http.Header{"Cache-Control": {`max-age="90"`}}, 90 * time.Second},
		"of 0":                         {http.Header{"Cache-Control": {"max-age=0"}}, 0},
		"without value":                {http.Header{"Cache-Control": {"max-age"}}, 0},
		"unreadable":                   {http.Header{"Cache-Control": {"max-age=soon"}}, 0},
		"negative":                     {http.Header{"Cache-Control": {"max-age=-1"}}, 0},
		"signed":                       {http.Header{"Cache-Control": {"max-age=+1"}}, 0},
		"too great (1.2.2)":            {http.Header{"Cache-Control": {"max-age=99999999999999999999"}}, (1<<31 - 1) * time.Second},
		"twice: the first (4.2.1)":     {http.Header{"Cache-Control": {"max-age=60, max-age=5"}}, time.Minute},
		"on two lines: the first":      {http.Header{"Cache-Control": {"max-age=60", "max-age=5"}}, time.Minute},
		"no-store wins":                {http.Header{"Cache-Control": {"max-age=60, no-store"}}, 0},
		"no-cache wins":                {http.Header{"Cache-Control": {"no-cache", "max-age=60"}}, 0},
		"within a quoted list":         {http.Header{"Cache-Control": {`private="a, max-age=5, no-store", max-age=60`}}, time.Minute},
		"quotes within quotes":         {http.Header{"Cache-Control": {`x="\", max-age=5", max-age=60`}}, time.Minute},
		"a quote without end":          {http.Header{"Cache-Control": {`x="a, max-age=5`}}, none},
		"empty elements":               {http.Header{"Cache-Control": {", ,max-age=60,"}}, time.Minute},
		"Expires":                      {http.Header{"Expires": {httpDate(time.Hour)}}, time.Hour},
		"Expires, past":                {http.Header{"Expires": {httpDate(-time.Hour)}}, 0},
		"Expires: 0":                   {http.Header{"Expires": {"0"}}, 0},
		"Expires, empty":               {http.Header{"Expires": {""}}, 0},
		"Expires by the backend's day": {http.Header{"Expires": {httpDate(25 * time.Hour)}, "Date": {httpDate(24 * time.Hour)}}, time.Hour},
		"Expires, and no day":          {http.Header{"Expires": {httpDate(time.Hour)}, "Date": {"yesterday"}}, time.Hour},
		"max-age beats Expires":        {http.Header{"Expires": {httpDate(time.Hour)}, "Cache-Control": {"max-age=60"}}, time.Minute},
		"a bad max-age too":            {http.Header{"Expires": {httpDate(time.Hour)}, "Cache-Control": {"max-age=x"}}, 0},
		"aged on its way (4.2.3)":      {http.Header{"Age": {"20"}, "Cache-Control": {"max-age=60"}}, 40 * time.Second},
		"aged too long":                {http.Header{"Age": {"99999999999"}, "Cache-Control": {"max-age=60"}}, 0},
		"of unreadable age (5.1)":      {http.Header{"Age": {"old"}, "Cache-Control": {"max-age=60"}}, time.Minute},
		"only aged":                    {http.Header{"Age": {"20"}}, none},
	} {
		got, ok := identity.Freshness(c.header, freshNow)
		if ok != (c.want != none) || ok && got != c.want {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, c.want)
		}
	}
}

func FuzzFreshness(f *testing.F) {
	for _, control := range []string{"", "max-age=60", `private="a,b", max-age="1"`, "no-store", `x="\`, ",,,", "max-age=99999999999"} {
		f.Add(control, "", "", "")
	}
	f.Add("", "0", "20", "")
	f.Add("", httpDate(time.Hour), "-1", httpDate(time.Minute))
	f.Fuzz(func(t *testing.T, control, expires, age, date string) {
		h := http.Header{"Cache-Control": {control}, "Expires": {expires}, "Age": {age}, "Date": {date}}
		left, ok := identity.Freshness(h, freshNow)
		if left < 0 || !ok {
			t.Errorf("%v, %v", left, ok)
		}
		delete(h, "Expires")
		if left, ok := identity.Freshness(h, freshNow); left < 0 || left > (1<<31-1)*time.Second || left > 0 && !ok {
			t.Errorf("%v, %v", left, ok)
		}
	})
}

// answers is a Source of documents.
type answers func(ctx context.Context) (identity.Document, error)

func (s answers) Fetch(ctx context.Context) (identity.Document, error) { return s(ctx) }

func TestTheNextFetchComesWhenTheAnswerSaysWithinBounds(t *testing.T) {
	t.Parallel()
	document := corpus.KeySetJSON(newKey(t, "a"))
	for name, c := range map[string]struct {
		answer      identity.Document
		least, most time.Duration
		want        time.Duration
	}{
		"as configured":       {identity.Document{}, time.Minute, 30 * time.Minute, 5 * time.Minute},
		"as it says":          {identity.Document{MaxAge: 10 * time.Minute, Aged: true}, time.Minute, 30 * time.Minute, 10 * time.Minute},
		"not too soon":        {identity.Document{MaxAge: time.Second, Aged: true}, time.Minute, 30 * time.Minute, time.Minute},
		"not to be kept":      {identity.Document{Aged: true}, time.Minute, 30 * time.Minute, time.Minute},
		"not too late":        {identity.Document{MaxAge: 24 * time.Hour, Aged: true}, time.Minute, 30 * time.Minute, 30 * time.Minute},
		"without bounds, low": {identity.Document{Aged: true}, 0, 0, 5 * time.Minute},
		"and high":            {identity.Document{MaxAge: time.Hour, Aged: true}, 0, 0, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c.answer.Body = document
				var at []time.Time
				r := identity.NewRefresher(identity.RefresherConfig{
					Issuer: "test", Keys: new(cache.Keys), Log: quiet,
					Interval: 5 * time.Minute, LeastInterval: c.least, MostInterval: c.most,
					Source: answers(func(context.Context) (identity.Document, error) {
						at = append(at, time.Now())
						return c.answer, nil
					}),
				})
				ctx, cancel := context.WithTimeout(t.Context(), 10*c.want)
				defer cancel()
				r.Run(ctx)
				if len(at) < 9 {
					t.Fatalf("%d fetches", len(at))
				}
				for i, then := range at[1:] {
					if gap := then.Sub(at[i]); gap < c.want*9/10 || gap > c.want*11/10 {
						t.Errorf("after %v, want %v", gap, c.want)
					}
				}
			})
		})
	}
}
