package admin

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A reload may take long: it fetches keys. A purge is for a key in the wrong hands.
func TestPurgeReturnsWhileAReloadIsUnderWay(t *testing.T) {
	t.Parallel()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan int)
	cfg := withKeys(&fakeKeys{n: 1}, discard())
	cfg.Reload = func(string) error {
		close(begun)
		<-end
		return nil
	}
	h := handler(cfg, nil)
	go func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, change(http.MethodPost, "/reload"))
		ended <- w.Code
	}()
	<-begun
	for _, method := range []string{http.MethodDelete, http.MethodPut} {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, change(method, "/keys/vneid/k")); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	close(end)
	if status := <-ended; status != http.StatusOK {
		t.Errorf("reload: %d", status)
	}
}
