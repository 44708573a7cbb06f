package clock

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheClockIsSetOnlyWhenItIsOff(t *testing.T) {
	guest := time.UnixMilli(1_700_000_000_000)
	now = func() time.Time { return guest }
	t.Cleanup(func() { now, set = time.Now, unix.Settimeofday })
	for name, c := range map[string]struct {
		off  time.Duration
		sets bool
	}{
		"right":        {0, false},
		"close":        {150 * time.Millisecond, false},
		"behind":       {9 * time.Hour, true},
		"ahead":        {-4 * time.Hour, true},
		"a little off": {300 * time.Millisecond, true},
	} {
		var given int64
		set = func(v *unix.Timeval) error { given = v.Nano(); return nil }
		if err := Follow(guest.Add(c.off), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if (given != 0) != c.sets || c.sets && given != guest.Add(c.off).UnixNano() {
			t.Errorf("%s: set to %d", name, given)
		}
	}
	set = func(*unix.Timeval) error { return unix.EPERM }
	if err := Follow(guest.Add(time.Hour), time.Second); err == nil {
		t.Error("a clock that cannot be set was not told")
	}
	if err := Follow(time.UnixMilli(-1), time.Second); err != nil {
		t.Errorf("a host without a clock: %v", err)
	}
}
