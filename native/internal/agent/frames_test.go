package agent

import (
	"bytes"
	"strings"
	"testing"
)

func TestReadFrame(t *testing.T) {
	kind, payload, err := readFrame(strings.NewReader("\x02\x00\x00\x00\x03abc"))
	if err != nil || kind != frameStdin || string(payload) != "abc" {
		t.Error(kind, payload, err)
	}
}

func TestReadFrameRefuses(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"too large": {"\x02\x00\x10\x00\x01", "at most"},
		"huge":      {"\x02\xff\xff\xff\xff", "at most"},
		"cut short": {"\x02\x00\x00\x00\x03ab", "cut short"},
		"no header": {"\x02\x00", "EOF"},
	} {
		if _, _, err := readFrame(strings.NewReader(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x03abc"))
	f.Add([]byte("\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, payload, err := readFrame(bytes.NewReader(in))
		if err == nil && !bytes.Equal(payload, in[frameHeader:frameHeader+len(payload)]) {
			t.Error("payload differs")
		}
	})
}
