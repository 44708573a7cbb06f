package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banger.dev/native/internal/report"
	"banger.dev/native/internal/room"
)

func TestFetchLeavesOnlyWhatHasItsDigest(t *testing.T) {
	directory := t.TempDir()
	source, out := filepath.Join(directory, "source"), filepath.Join(directory, "out")
	content := strings.Repeat("a package ", 10_000)
	if err := os.WriteFile(source, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	right := &origin{digest: hex.EncodeToString(sum[:]), bytes: int64(len(content)), cache: directory}
	if err := fetch(context.Background(), right, "file://"+source, out, room.Reserve{}, report.ToStdout()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != content {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	wrong := &origin{digest: strings.Repeat("0", 64), bytes: int64(len(content)), cache: directory}
	err := fetch(context.Background(), wrong, "file://"+source, out, room.Reserve{}, report.ToStdout())
	if err == nil || !strings.Contains(err.Error(), "sha256:") {
		t.Fatalf("a wrong digest gives %v", err)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Fatalf("the file is there: %v", err)
	}
}
