package fleet

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// streamID is the id of an entry: milliseconds of Redis's clock, and a number within them.
type streamID struct{ ms, n uint64 }

func (id streamID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.n, 10)
}

func parseStreamID(text string) (id streamID, err error) {
	ms, n, ok := strings.Cut(text, "-")
	if id.ms, err = strconv.ParseUint(ms, 10, 64); err != nil || !ok {
		return id, fmt.Errorf("%w: id of an entry", errAnswer)
	}
	if id.n, err = strconv.ParseUint(n, 10, 64); err != nil {
		return id, fmt.Errorf("%w: id of an entry", errAnswer)
	}
	return id, nil
}

// mark is an entry of the stream. Two entries of the same epoch are the same if their marks are: after Redis lost its
// last entries it may give a seq again, and a clock that was set back an id, but hardly both together.
type mark struct {
	id  streamID
	seq uint64
}

// generation tells one life of a server from another: it changes when Redis starts and when a replica takes over, so
// as long as it is the same nothing was lost but by command.
type generation [16]byte

// status is how things stand in Redis.
type status struct {
	epoch   string
	created time.Duration // since Redis's 1970, as now is
	now     time.Duration
	end     mark // the last entry
	uploads int  // nodes that are offering what they hold
}

// server is Redis as a session uses it. It is safe for concurrent use.
type server struct {
	client  *redis.Client
	keys    keys
	secret  string
	timeout time.Duration
}

// call runs a script and checks how its answer begins.
func (s *server) call(ctx context.Context, script *redis.Script, args ...any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	answer, err := script.Run(ctx, s.client, s.keys.all(), args...).Slice()
	if err != nil {
		return nil, classify(err)
	}
	return answer, standing(answer)
}

func standing(answer []any) error {
	if len(answer) == 0 {
		return errAnswer
	}
	switch answer[0] {
	case "ok":
		return nil
	case "secret":
		return ErrSecret
	case "version":
		return fmt.Errorf("%w: keys", ErrVersion)
	case "epoch":
		return errEpoch
	}
	return errAnswer
}

// open tells how things stand, after it has begun next as an epoch where data is missing.
func (s *server) open(ctx context.Context, next string) (status, error) {
	a, err := s.call(ctx, openScript, s.secret, next)
	if err != nil {
		return status{}, err
	}
	r := reader{answer: a[1:]}
	st := status{
		epoch: r.text(), created: time.Duration(r.number()) * time.Millisecond,
		now: time.Duration(r.number()) * time.Millisecond,
	}
	st.end.seq = uint64(r.number())
	st.end.id = r.id()
	st.uploads = int(r.number())
	if r.err == nil && len(st.epoch) != epochBytes {
		return status{}, fmt.Errorf("%w: epoch", errAnswer)
	}
	return st, r.err
}

// limits is how long the stream may become.
type limits struct {
	entries int
	age     time.Duration
}

// append puts a message's records into the state and on the stream. The mark is that of the entry, zero where nothing
// was new. A node that uploads gives its name.
func (s *server) append(ctx context.Context, epoch string, message []byte, lim limits, node string) (mark, error) {
	a, err := s.call(ctx, appendScript, s.secret, epoch, message, lim.entries, lim.age.Milliseconds(), node)
	if err != nil {
		return mark{}, err
	}
	r := reader{answer: a[1:]}
	if changed := r.number(); changed == 0 {
		return mark{}, r.err
	}
	m := mark{id: r.id()}
	m.seq = uint64(r.number())
	return m, r.err
}

// uploaded takes the node off those that are offering.
func (s *server) uploaded(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return classify(s.client.ZRem(ctx, s.keys.uploads, node).Err())
}

// holds reports whether an entry is on the stream.
func (s *server) holds(ctx context.Context, m mark) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	id := m.id.String()
	found, err := s.client.XRange(ctx, s.keys.stream, id, id).Result()
	if err != nil {
		return false, classify(err)
	}
	return len(found) == 1 && found[0].Values[fieldSeq] == strconv.FormatUint(m.seq, 10), nil
}

// read waits for entries after id, no longer than block. None is no error.
func (s *server) read(ctx context.Context, after streamID, count int, block time.Duration) ([]redis.XMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, block+s.timeout)
	defer cancel()
	streams, err := s.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{s.keys.stream, after.String()}, Count: int64(count), Block: block,
	}).Result()
	if err == redis.Nil { //nolint:errorlint // The client gives this one as it is.
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	if len(streams) != 1 {
		return nil, errAnswer
	}
	return streams[0].Messages, nil
}

// page reads about count records of the state, as they lie in a message, and members that cannot be records. The
// cursor of the last page is "0".
func (s *server) page(ctx context.Context, cursor string, count int) (next, records string, bad []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	a, err := pageScript.RunRO(ctx, s.client, s.keys.all(), cursor, count).Slice()
	if err != nil {
		return "", "", nil, classify(err)
	}
	r := reader{answer: a}
	next, records = r.text(), r.text()
	bad = r.texts()
	return next, records, bad, r.err
}

// heal removes members of the state and begins next as an epoch.
func (s *server) heal(ctx context.Context, epoch, next string, bad []string) error {
	args := []any{s.secret, epoch, next}
	for _, member := range bad {
		args = append(args, member)
	}
	_, err := s.call(ctx, healScript, args...)
	return err
}

// purge takes away at most limit records that are past, and reports how many there were.
func (s *server) purge(ctx context.Context, limit int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	n, err := purgeScript.Run(ctx, s.client, s.keys.all(), limit).Int()
	return n, classify(err)
}

// info tells the server's generation, and refuses one that is not fit.
func (s *server) info(ctx context.Context) (generation, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	text, err := s.client.Info(ctx, "server", "replication", "memory").Result()
	if err != nil {
		return generation{}, classify(err)
	}
	return parseInfo(text)
}

func parseInfo(text string) (g generation, err error) {
	facts := make(map[string]string)
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok {
			facts[name] = value
		}
	}
	if facts["run_id"] == "" || facts["role"] == "" {
		return g, fmt.Errorf("%w: INFO", errAnswer)
	}
	if facts["role"] != "master" {
		return g, ErrReplica
	}
	if facts["maxmemory"] != "0" && strings.HasPrefix(facts["maxmemory_policy"], "allkeys-") {
		return g, ErrEvicts
	}
	sum := sha256.Sum256([]byte(facts["run_id"] + ":" + facts["master_replid"]))
	copy(g[:], sum[:])
	return g, nil
}

// reader takes an answer apart. After the first piece that is not what it should be, all are zero.
type reader struct {
	answer []any
	err    error
}

func (r *reader) next() (v any) {
	if r.err == nil && len(r.answer) > 0 {
		v, r.answer = r.answer[0], r.answer[1:]
		return v
	}
	r.err = errAnswer
	return nil
}

func (r *reader) text() string {
	s, ok := r.next().(string)
	if !ok {
		r.err = errAnswer
	}
	return s
}

func (r *reader) number() int64 {
	n, ok := r.next().(int64)
	if !ok || n < 0 {
		r.err = errAnswer
		return 0
	}
	return n
}

func (r *reader) id() (id streamID) {
	text := r.text()
	if r.err == nil {
		id, r.err = parseStreamID(text)
	}
	return id
}

func (r *reader) texts() []string {
	list, ok := r.next().([]any)
	if !ok {
		r.err = errAnswer
		return nil
	}
	texts := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			r.err = errAnswer
		}
		texts = append(texts, s)
	}
	return texts
}
