package target

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protodelim"
)

// accept asks for protobuf, which alone carries native histograms.
const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited," +
	"text/plain;version=0.0.4;q=0.5"

// scraper reads the metrics of one process.
type scraper struct {
	url      string
	client   *http.Client
	maxBytes int64
}

// read returns the families of one scrape and its length. Errors are failures.
func (s *scraper) read(ctx context.Context) (map[string]*dto.MetricFamily, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, 0, failUnreachable
	}
	req.Header.Set("Accept", accept)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, 0, transport(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, 0, failStatus
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, s.maxBytes+1))
	switch {
	case err != nil:
		return nil, int64(len(body)), transport(err)
	case int64(len(body)) > s.maxBytes:
		return nil, int64(len(body)), failTooLarge
	}
	families, err := decode(body, expfmt.ResponseFormat(resp.Header))
	return families, int64(len(body)), err
}

// transport names what went wrong on the way, without the URL that its text repeats.
func transport(err error) failure {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return failTimeout
	}
	return failUnreachable
}

// decode reads metrics of either format. What it returns takes memory in proportion
// to the body. Errors are failures.
func decode(body []byte, format expfmt.Format) (map[string]*dto.MetricFamily, error) {
	switch format.FormatType() {
	case expfmt.TypeProtoDelim:
		return decodeProto(body)
	case expfmt.TypeTextPlain:
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
		if err != nil {
			return nil, failMalformed
		}
		return families, nil
	}
	return nil, failFormat
}

// decodeProto does without expfmt's decoder, which allocates as much as a message
// says that it is long.
func decodeProto(body []byte) (map[string]*dto.MetricFamily, error) {
	families := map[string]*dto.MetricFamily{}
	in := bufio.NewReader(bytes.NewReader(body))
	each := protodelim.UnmarshalOptions{MaxSize: int64(len(body))}
	for {
		family := &dto.MetricFamily{}
		err := each.UnmarshalFrom(in, family)
		switch {
		case errors.Is(err, io.EOF):
			return families, nil
		case err != nil:
			return nil, failMalformed
		}
		families[family.GetName()] = family
	}
}
