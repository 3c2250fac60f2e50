package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// TestABrokenResponseIsNeverPassedOnAndItsConnectionNeverUsedAgain lets an
// upstream answer in every way that two parsers could read differently. What
// follows on its connection never answers anybody.
func TestABrokenResponseIsNeverPassedOnAndItsConnectionNeverUsedAgain(t *testing.T) {
	t.Parallel()
	responses := framing.Responses()
	recorder, err := origin.Record(t.Context(), func(request origin.Request) origin.Answer {
		var i int
		if _, err := fmt.Sscanf(string(request.Head), "GET /broken/%d ", &i); err != nil {
			return goodAnswer(request)
		}
		answer := origin.Answer{Raw: responses[i].Raw}
		if responses[i].Closes {
			answer.End = origin.Close
		}
		return answer
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	g := framingGateway(t, recorder.URL())
	outcomes := make(map[string]int)
	for i, r := range responses {
		status, body, err := fetch(g, fmt.Sprintf("/broken/%d", i))
		switch {
		case err == nil && status == http.StatusBadGateway && r.Fate != framing.Passed:
			outcomes["502"]++
		case err != nil && status == http.StatusOK && r.Fate == framing.Cut:
			outcomes["visibly cut"]++
		case err != nil && status == 0 && r.Fate == framing.Cut:
			outcomes["closed without an answer"]++
		case err == nil && status == http.StatusOK && body == "good" && r.Fate == framing.Passed:
			outcomes["passed"]++
		default:
			t.Errorf("%s: status %d, %.200q, %v", r.Name, status, body, err)
		}
		if status, body, err := fetch(g, "/good"); status != http.StatusOK || body != "good" || err != nil {
			t.Errorf("behind %s: status %d, %.200q, %v", r.Name, status, body, err)
		}
	}
	g.stop(t)

	last := make(map[int]string) // by connection
	for _, request := range rested(t, recorder) {
		if before := last[request.Conn]; strings.HasPrefix(before, "GET /broken/") {
			t.Errorf("%s came on the connection of %s", request.Lines()[0], before)
		}
		last[request.Conn] = request.Lines()[0]
	}
	t.Logf("responses: %d: %v; %d connections", len(responses), outcomes, recorder.Connections())
}

// fetch makes one request on a connection of its own. An error behind the status
// is one of the body.
func fetch(g *process, path string) (status int, body string, err error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.data, "http://"))
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, "", err
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, framing.Host); err != nil {
		return 0, "", err
	}
	in := bufio.NewReader(conn)
	if _, err := in.Peek(1); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return -1, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), err
}
