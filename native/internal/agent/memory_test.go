package agent

import (
	"encoding/json"
	"testing"
)

func TestMemoryIsTheKernels(t *testing.T) {
	status, body := newGuest(t).do("GET", "/v1/memory", nil)
	var answer struct{ TotalKiB, AvailableKiB int64 }
	if err := json.Unmarshal(body, &answer); status != 200 || err != nil || answer.AvailableKiB <= 0 || answer.AvailableKiB >= answer.TotalKiB {
		t.Fatal(status, string(body), err)
	}
	if kib := kibOf("MemFree: 1 kB\nMemTotal:       2048 kB\n", "MemTotal"); kib != 2048 {
		t.Error(kib)
	}
}
