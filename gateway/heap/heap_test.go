package heap

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestThePaceIsTheRoomOrWhatIsScanned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		live, scanned, room uint64
		want                int
	}{
		{20 << 20, 20 << 20, 128 << 20, 640},
		{128 << 20, 128 << 20, 128 << 20, 100},
		{1 << 30, 1 << 30, 128 << 20, 100},
		{1 << 30, 1 << 28, 128 << 20, 25},
		{1 << 30, 0, 128 << 20, 13},
		{6 << 20, 1 << 20, 10 << 20, 167},
		{3 << 20, 1 << 20, 10 << 20, 250},
		{0, 0, 128 << 20, 3200},
		{20 << 20, 20 << 20, 0, 100},
		{20 << 20, 0, 0, 1},
		{math.MaxUint64, math.MaxUint64, math.MaxUint64, 100},
		{4 << 20, 1, math.MaxUint64, math.MaxInt32},
	} {
		if got := Percent(c.live, c.scanned, c.room); got != c.want {
			t.Errorf("%d bytes in use, %d scanned, %d of room: %d%%, want %d%%", c.live, c.scanned, c.room, got, c.want)
		}
	}
}

// pace returns the process's GOGC.
func pace() uint64 {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// collected waits until ok holds after some collections.
func collected(t *testing.T, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); {
		runtime.GC()
		if ok() {
			return
		}
		runtime.Gosched()
	}
	t.Fatalf("GOGC stays at %d%%", pace())
}

// One test for all that sets the process's pace: they cannot run side by side.
func TestThePaceFollowsWhatIsInUse(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)

	const room = 64 << 20
	runtime.GC()
	stop := Keep(room)
	small := pace()
	if small <= 2*goPace {
		t.Fatalf("with next to nothing in use, GOGC is %d%%", small)
	}
	held := make([]byte, 4*room) // holds no pointers
	collected(t, func() bool { return pace() < goPace/2 })
	runtime.KeepAlive(held)
	held = nil
	scanned := make([]*byte, 4*room/8)
	collected(t, func() bool { return pace() >= goPace*9/10 && pace() <= goPace })
	runtime.KeepAlive(scanned)
	scanned = nil
	collected(t, func() bool { return pace() > 2*goPace })

	stop()
	stop()
	if got := pace(); got != goPace {
		t.Errorf("stopped, GOGC is %d%%", got)
	}
	for range 3 {
		runtime.GC()
	}
	if got := pace(); got != goPace {
		t.Errorf("some collections after the stop, GOGC is %d%%", got)
	}
}

func TestTheEnvironmentsPaceAndARoomOfNoughtLeaveGosOwn(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "")
	Keep(0)()
	if got := pace(); got != 100 {
		t.Errorf("without room, GOGC is %d%%", got)
	}
	t.Setenv("GOGC", "100")
	stop := Keep(1 << 30)
	if got := pace(); got != 100 {
		t.Errorf("beside GOGC=100, it is %d%%", got)
	}
	stop()
}

// A process that has just begun has collected nothing: nothing is known to be in
// use, and garbage must be collected all the same.
func TestTheFirstCollectionComesWithinTheRoom(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestTheFirstCollectionComesWithinTheRoom$", "-test.v")
		child.Env = append(os.Environ(), childVariable+"=1", "GOGC=")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	const room = 64 << 20
	defer Keep(room)()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 2 * room / len(garbage) {
		garbage = make([]byte, len(garbage))
	}
	runtime.ReadMemStats(&after)
	if after.NumGC == before.NumGC {
		t.Errorf("%d bytes of garbage, and no collection", after.HeapAlloc)
	}
}

const childVariable = "VNEID_GATEWAY_TEST_CHILD"

// garbage is in the heap for sure.
var garbage = make([]byte, 64<<10)
