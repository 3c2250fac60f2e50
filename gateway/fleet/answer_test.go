package fleet

import (
	"errors"
	"testing"
)

func TestAnAnswerThatNoRedisGivesIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer []any
		want   error
	}{
		{nil, errAnswer},
		{[]any{"ok"}, nil},
		{[]any{int64(1)}, errAnswer},
		{[]any{"what"}, errAnswer},
		{[]any{"secret"}, ErrSecret},
		{[]any{"version"}, ErrVersion},
		{[]any{"epoch"}, errEpoch},
	} {
		if err := standing(c.answer); !errors.Is(err, c.want) {
			t.Errorf("%v: %v, want %v", c.answer, err, c.want)
		}
	}
	for name, read := range map[string]func(*reader){
		"text":   func(r *reader) { r.text() },
		"number": func(r *reader) { r.number() },
		"id":     func(r *reader) { r.id() },
		"texts":  func(r *reader) { r.texts() },
	} {
		for _, answer := range [][]any{{}, {nil}, {1.5}, {int64(-1)}, {[]any{int64(1)}}, {"x"}} {
			if name == "text" && len(answer) == 1 && answer[0] == "x" {
				continue
			}
			r := &reader{answer: answer}
			if read(r); !errors.Is(r.err, errAnswer) {
				t.Errorf("%s of %v: error = %v", name, answer, r.err)
			}
		}
	}
}

func TestAnEpochThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	s, _ := scripted(t, r)
	r.do("HSET", "p:meta", "epoch", "short")
	_, err := s.open(t.Context(), newEpoch())
	wantError(t, err, errAnswer)
}

// A cursor of one Redis means nothing to the next: what was read with it may have left out anything.
func TestAStateReadFromTwoRedisesIsNone(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	s, st := scripted(t, r)
	life, err := s.info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(newNode(t, r.addr, nil).cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := &follower{session: &session{server: s, fleet: f, epoch: st.epoch, life: life}, lacks: true}
	if err := w.readState(t.Context()); err != nil || w.lacks || w.at != st.end {
		t.Fatalf("at %+v: %v", w.at, err)
	}
	w.life, w.lacks = generation{1}, true
	if wantError(t, w.readState(t.Context()), errEpoch); !w.lacks {
		t.Error("taken for whole")
	}
}
