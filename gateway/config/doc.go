// Package config is the gateway's configuration: its schema, its decoder and
// its validation.
//
// The Go types are the manual. Each field's comment gives its meaning, unit,
// default and bounds; [Schema] and [Reference] publish those comments as a
// JSON Schema and as Markdown, and tests hold comments and tags to each other.
//
// [Load] and [Parse] are strict. An unknown or duplicate key, a value of the
// wrong type or out of range, a name that nothing answers to, and two settings
// that contradict each other are faults, and all faults of a file are reported
// at once, each with its position. YAML beyond plain mappings, lists and
// scalars (anchors, aliases, tags, merge keys, several documents) is refused.
//
// A flag beats an environment variable, which beats the file.
//
// The package reads the configuration file and the files that it names, and
// does no network I/O.
package config

//go:generate go test -run TestCommentsOfTheSchemaArePublished -update .
