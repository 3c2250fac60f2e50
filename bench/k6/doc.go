// Package k6 holds a script for k6 (https://k6.io) that replays a corpus of
// bench/population from one machine or from many, and the tests of it. There is no
// Go code in it besides: see README.md.
package k6
