package secevent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// Bounds and defaults of PollConfig.
const (
	DefaultMaxEvents = 100
	MaxMaxEvents     = 1000
	DefaultInterval  = time.Second
	MinInterval      = 100 * time.Millisecond
	MaxInterval      = time.Hour
)

const (
	// firstRetry is the mean wait after a first failure. It doubles until it reaches lastRetry.
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// jitter spreads the polls of a fleet.
	jitter = 0.1
	// concurrency is how many tokens of one answer are taken at one time, so that they share what makes them durable.
	concurrency = 16
)

// Poster posts JSON documents to a transmitter. *identity.Endpoint is one.
type Poster interface {
	// Post returns the JSON document that the transmitter answers with. Errors are of package identity's taxonomy.
	Post(ctx context.Context, header http.Header, document []byte) ([]byte, error)
}

// PollConfig is how we ask a transmitter for tokens.
type PollConfig struct {
	// Stream takes the tokens. Required.
	Stream *Stream
	// Endpoint is the transmitter's. Its client's timeout must be longer than the transmitter holds a long poll, and its
	// bound of bytes is that of an answer. Required.
	Endpoint Poster
	// Breaker is around each poll. Required.
	Breaker identity.Breaker
	// Token returns the bearer token to show, "" for none. It is asked before each poll, so that a file may change.
	// Optional.
	Token func() (string, error)
	// MaxEvents is how many tokens are asked for at one time. Optional. Defaults to DefaultMaxEvents. 1 to MaxMaxEvents.
	MaxEvents int
	// ReturnImmediately asks the transmitter not to hold a poll until it has something to tell.
	ReturnImmediately bool
	// Interval is the mean time from a poll that brought nothing new to the next one, which follows at once where the
	// transmitter has held the first for longer. Optional. Defaults to DefaultInterval. MinInterval to MaxInterval.
	Interval time.Duration
}

// Poller asks a transmitter for security event tokens (RFC 8936) until it is stopped. Its Stats may be called at any time.
type Poller struct {
	cfg PollConfig
	log *slog.Logger
	// What became of the tokens of the last answer, to be told with the next poll; kept until a poll has brought it over.
	acks []string
	errs map[string]refusal

	polls    atomic.Uint64
	failures map[string]*atomic.Uint64
	lastGood atomic.Int64
	more     atomic.Bool
}

// NewPoller returns a poller that does nothing until Run, or an error that wraps ErrConfig.
func NewPoller(cfg PollConfig) (*Poller, error) {
	if cfg.MaxEvents == 0 {
		cfg.MaxEvents = DefaultMaxEvents
	}
	if cfg.Interval == 0 {
		cfg.Interval = DefaultInterval
	}
	switch {
	case cfg.Stream == nil || cfg.Endpoint == nil || cfg.Breaker == nil:
		return nil, fmt.Errorf("%w: something required is missing", ErrConfig)
	case cfg.MaxEvents < 1 || cfg.MaxEvents > MaxMaxEvents:
		return nil, fmt.Errorf("%w: 1 to %d events a poll", ErrConfig, MaxMaxEvents)
	case cfg.Interval < MinInterval || cfg.Interval > MaxInterval:
		return nil, fmt.Errorf("%w: an interval from %s to %s", ErrConfig, MinInterval, MaxInterval)
	}
	if cfg.Token == nil {
		cfg.Token = func() (string, error) { return "", nil }
	}
	p := &Poller{
		cfg:      cfg,
		log:      cfg.Stream.cfg.Log.With("transmitter", cfg.Stream.cfg.Name),
		errs:     map[string]refusal{},
		failures: map[string]*atomic.Uint64{},
	}
	for _, reason := range identity.Reasons() {
		p.failures[reason] = new(atomic.Uint64)
	}
	return p, nil
}

// Run polls until ctx is done, and returns its error. It is called once.
//
// What was taken is acknowledged with the next poll, which follows at once. What is not acknowledged when Run returns
// comes again after the next start, and then has no effect.
func (p *Poller) Run(ctx context.Context) error {
	for retry, failing := firstRetry, false; ; {
		began := time.Now()
		progress, err := p.poll(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var wait time.Duration
		switch {
		case err != nil:
			if !failing {
				p.log.Warn("security events cannot be polled", "reason", pollReason(err), "error", err.Error())
			}
			wait, retry, failing = retry, min(2*retry, lastRetry), true
		case progress:
			retry, failing = firstRetry, p.recovered(failing)
		default:
			wait, retry, failing = p.cfg.Interval, firstRetry, p.recovered(failing)
		}
		wait = time.Duration(float64(wait) * (1 + jitter*(2*rand.Float64()-1)))
		if err == nil {
			wait -= time.Since(began)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// pollReason is identity.Reason where the transmitter failed, and ReasonUnavailable where this gateway did.
func pollReason(err error) string {
	if errors.Is(err, ErrUnavailable) {
		return ReasonUnavailable.String()
	}
	return identity.Reason(err)
}

func (p *Poller) recovered(failing bool) (stillFailing bool) {
	if failing {
		p.log.Info("security events are polled again")
	}
	return false
}

// pollRequest is RFC 8936 section 2.2.
type pollRequest struct {
	MaxEvents         int                `json:"maxEvents"`
	ReturnImmediately bool               `json:"returnImmediately"`
	Ack               []string           `json:"ack,omitempty"`
	SetErrs           map[string]refusal `json:"setErrs,omitempty"`
}

// pollAnswer is RFC 8936 section 2.3.
type pollAnswer struct {
	Sets          map[string]string `json:"sets"`
	MoreAvailable bool              `json:"moreAvailable"`
}

// errHeldBack means that tokens could not be taken now, through no fault of the transmitter's.
var errHeldBack = fmt.Errorf("%w: the transmitter is to send tokens again", ErrUnavailable)

// poll asks once, and takes what comes. progress tells that it is worth asking again at once: something new was taken,
// and wants to be acknowledged.
func (p *Poller) poll(ctx context.Context) (progress bool, err error) {
	p.polls.Add(1)
	answer, err := p.ask(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.failures[identity.Reason(err)].Add(1)
		}
		return false, err
	}
	// The transmitter knows what became of the last answer.
	p.acks, p.errs = nil, map[string]refusal{}
	p.lastGood.Store(p.cfg.Stream.cfg.Now().UnixNano())
	p.more.Store(answer.MoreAvailable)
	return p.take(ctx, answer.Sets)
}

// ask makes one call, for which an answer that cannot be read is a failure of the transmitter.
func (p *Poller) ask(ctx context.Context) (answer pollAnswer, err error) {
	header, err := p.header()
	if err != nil {
		return pollAnswer{}, err
	}
	document, err := json.Marshal(pollRequest{p.cfg.MaxEvents, p.cfg.ReturnImmediately, p.acks, p.errs}, json.Deterministic(true))
	if err != nil {
		return pollAnswer{}, identity.ErrMalformed
	}
	err = p.cfg.Breaker.Do(func() error {
		body, err := p.cfg.Endpoint.Post(ctx, header, document)
		if err != nil {
			return err
		}
		// Strict: a member that is there twice is an answer that two parsers read in two ways.
		if json.Unmarshal(body, &answer) != nil {
			return identity.ErrMalformed
		}
		return nil
	})
	return answer, err
}

func (p *Poller) header() (http.Header, error) {
	// RFC 8936 section 2.2: the language of what setErrs describe.
	header := http.Header{"Content-Language": {"en"}}
	bearer, err := p.cfg.Token()
	switch {
	case err != nil:
		return nil, identity.ErrCredentials
	case bearer != "":
		header.Set("Authorization", "Bearer "+bearer)
	}
	return header, nil
}

// take takes the tokens of an answer, several at one time, and notes what is to be told of each.
func (p *Poller) take(ctx context.Context, sets map[string]string) (progress bool, err error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // of what the results are written to
		turn = make(chan struct{}, concurrency)
		held bool
	)
	for jti, raw := range sets {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			fresh, err := p.cfg.Stream.take(ctx, []byte(raw), &jti)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				p.acks = append(p.acks, jti)
				progress = progress || fresh
			case errors.Is(err, ErrUnavailable):
				held = true
			default:
				p.errs[jti] = refusalOf(err)
			}
		})
	}
	wg.Wait()
	if held {
		return false, errHeldBack
	}
	return progress, nil
}

// PollStats is what became of the polls since the poller was made. What became of the tokens is in the stream's Stats.
type PollStats struct {
	// Polls counts those that were made, Failures those that failed, by identity.Reason.
	Polls    uint64
	Failures map[string]uint64
	// LastSuccess is when a poll was last answered; zero for never.
	LastSuccess time.Time
	// MoreAvailable is what the transmitter last said: that there are more tokens than it sent.
	MoreAvailable bool
}

// Stats returns the counts, read one after the other.
func (p *Poller) Stats() PollStats {
	s := PollStats{
		Polls: p.polls.Load(), Failures: make(map[string]uint64, len(p.failures)),
		LastSuccess: moment(p.lastGood.Load()), MoreAvailable: p.more.Load(),
	}
	for reason, n := range p.failures {
		s.Failures[reason] = n.Load()
	}
	return s
}
