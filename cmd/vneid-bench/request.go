package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// requestFlags say what is sent, and what has to come back.
type requestFlags struct {
	method                     string
	headers                    []string
	headerFile, body, bodyFile string
	status                     string
	expectHeaders              []string
	expectBody                 string
}

// defaultStatuses are those that attack.Expect takes when nothing is said.
const defaultStatuses = "200-399"

func (f *requestFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.method, "method", "X", http.MethodGet, "method")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "header field, as 'Name: value'; may be repeated")
	flags.StringVar(&f.headerFile, "header-file", "", "file of header fields, one a line: for secrets")
	flags.StringVar(&f.body, "body", "", "body")
	flags.StringVar(&f.bodyFile, "body-file", "", "file of the body")
	flags.StringVar(&f.status, "expect-status", defaultStatuses, "statuses that are expected, as 200,404 or 200-299, or any")
	flags.StringArrayVar(&f.expectHeaders, "expect-header", nil, "header field that the answer must have, as 'Name: value'; may be repeated")
	flags.StringVar(&f.expectBody, "expect-body", "", "text that the answer's body must contain in its first 16 KiB")
	cmd.MarkFlagsMutuallyExclusive("body", "body-file")
	_ = cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions([]cobra.Completion{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("expect-status", cobra.FixedCompletions([]cobra.Completion{"any", "200", "200-299", "401", "403", "503"}, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"header", "body", "expect-header", "expect-body"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// build makes the requests, and says where they go.
func (f *requestFlags) build(urls []string) (attack.Cycle, *url.URL, error) {
	header, err := f.header()
	if err != nil {
		return nil, nil, err
	}
	body := []byte(f.body)
	if f.bodyFile != "" {
		if body, err = os.ReadFile(f.bodyFile); err != nil {
			return nil, nil, fmt.Errorf("--body-file: %w", err)
		}
	}
	expect, err := f.expect()
	if err != nil {
		return nil, nil, err
	}
	var first *url.URL
	cycle := make(attack.Cycle, len(urls))
	for i, text := range urls {
		target, err := url.Parse(text)
		if err != nil {
			// What url.Parse says repeats the URL, which may hold a secret.
			return nil, nil, fmt.Errorf("URL %d: write it as http://127.0.0.1:8080/path", i+1)
		}
		if target.User != nil {
			return nil, nil, fmt.Errorf("URL %d: credentials go into a header field", i+1)
		}
		if cycle[i], err = attack.Build(f.method, target, header, body); err != nil {
			return nil, nil, fmt.Errorf("URL %d: %w", i+1, err)
		}
		cycle[i].Expect = expect
		if first == nil {
			first = target
		}
		if target.Scheme != first.Scheme || hostPort(target) != hostPort(first) {
			return nil, nil, fmt.Errorf("URL %d: all URLs must have one scheme, host and port", i+1)
		}
	}
	return cycle, first, nil
}

// hostPort is where a URL's target listens.
func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// header reads the fields of flags and file.
func (f *requestFlags) header() (http.Header, error) {
	header := http.Header{}
	add := func(line, where string) error {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return fmt.Errorf("%s: write it as 'Name: value'", where)
		}
		header[name] = append(header[name], strings.TrimSpace(value))
		return nil
	}
	for _, line := range f.headers {
		if err := add(line, "--header"); err != nil {
			return nil, err
		}
	}
	if f.headerFile == "" {
		return header, nil
	}
	file, err := os.Open(f.headerFile)
	if err != nil {
		return nil, fmt.Errorf("--header-file: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			if err := add(line, "--header-file: line "+strconv.Itoa(n)); err != nil {
				return nil, err
			}
		}
	}
	return header, named("header-file", lines.Err())
}

// expect reads what answers have to be.
func (f *requestFlags) expect() (e attack.Expect, err error) {
	switch f.status {
	case defaultStatuses: // what is expected where nothing is said
	case "any":
		e.AnyStatus = true
	default:
		if e.Statuses, err = statuses(f.status); err != nil {
			return e, fmt.Errorf("--expect-status %q: %w", f.status, err)
		}
	}
	var accept []func(*attack.Response) bool
	for _, line := range f.expectHeaders {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return e, errors.New("--expect-header: write it as 'Name: value'")
		}
		accept = append(accept, attack.HeaderIs(name, strings.TrimSpace(value)))
	}
	if f.expectBody != "" {
		accept = append(accept, attack.BodyContains(f.expectBody))
	}
	if len(accept) > 0 {
		e.Accept = attack.All(accept...)
	}
	return e, nil
}

// statuses reads 200,300-399.
func statuses(list string) (all []int, err error) {
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(strings.TrimSpace(from))
		last, also := strconv.Atoi(strings.TrimSpace(to))
		if err != nil || also != nil || first < 200 || last > 599 || first > last {
			return nil, errors.New("write it as 200,404 or 200-299, of 200 to 599, or any")
		}
		for s := first; s <= last; s++ {
			all = append(all, s)
		}
	}
	return all, nil
}
