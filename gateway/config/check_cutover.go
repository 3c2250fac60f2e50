package config

// checkCutover checks the dated rules. Several rules may move one kind at one
// site again and again, each from a moment of its own.
func checkCutover(c *Config, r *report) {
	issuers, sites := issuerNames(c), siteNames(c)
	starts := make(map[start]int)
	for i := range c.Cutover {
		rule, p := &c.Cutover[i], (*path)(nil).key("cutover").index(i)
		checkReferences(rule.Only, issuers, "issuer", p.key("only"), r)
		checkReferences(rule.Sites, sites, "site", p.key("sites"), r)
		if !rule.NoticeFrom.IsZero() && !rule.From.IsZero() && !rule.NoticeFrom.Before(rule.From) {
			r.at(p.key("notice_from"), "is not before %s", r.places.line(p.key("from")))
		}
		if rule.From.IsZero() {
			continue
		}
		if first, again := claimStarts(starts, rule, i); again {
			r.at(p.key("from"), "%s already moves some of these accounts at some of these sites at this moment",
				r.places.line((*path)(nil).key("cutover").index(first)))
		}
	}
}

// start is the moment from which a rule governs a kind at a site.
type start struct {
	from       int64 // nanoseconds since 1970
	kind, site string
}

// The pseudo-sites of start: no name has these characters.
const (
	everySite = "*" // a rule without sites
	someSite  = "?" // any rule at all
)

// claimStarts enters the i-th rule in starts. It returns the index of an
// earlier rule that begins to govern one of its kinds at one of its sites at
// the same moment.
func claimStarts(starts map[start]int, rule *Cutover, i int) (first int, again bool) {
	from := rule.From.UnixNano()
	conflict := func(kind, site string) {
		if j, ok := starts[start{from, kind, site}]; ok && j != i && !again {
			first, again = j, true
		}
	}
	claim := func(kind, site string) {
		if _, ok := starts[start{from, kind, site}]; !ok {
			starts[start{from, kind, site}] = i
		}
	}
	for _, kind := range rule.Accounts {
		if len(rule.Sites) == 0 {
			conflict(kind, someSite)
			claim(kind, everySite)
		}
		for _, site := range rule.Sites {
			conflict(kind, everySite)
			conflict(kind, site)
			claim(kind, site)
		}
		claim(kind, someSite)
	}
	return first, again
}

// issuerNames returns the names of all issuers, or nil where one is not known.
func issuerNames(c *Config) []string {
	var names []string
	for i := range c.Issuers {
		if c.Issuers[i].Name == "" {
			return nil
		}
		names = append(names, c.Issuers[i].Name)
	}
	return names
}

// siteNames returns the names of all sites, or nil where one is not known.
func siteNames(c *Config) []string {
	var names []string
	for i := range c.Sites {
		if c.Sites[i].Name == "" {
			return nil
		}
		names = append(names, c.Sites[i].Name)
	}
	return names
}

// checkReferences checks that each of refs is one of names. With nil names it
// checks nothing: a fault about them is enough.
func checkReferences(refs, names []string, what string, p *path, r *report) {
	if names == nil {
		return
	}
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	for i, ref := range refs {
		if ref != "" && !known[ref] {
			r.at(p.index(i), "no %s is named %s%s", what, quote(ref), didYouMean(ref, names))
		}
	}
}
