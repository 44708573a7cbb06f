package regular

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOnlyARegularFileIsOpened(t *testing.T) {
	dir := t.TempDir()
	fifo, file, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for path, ok := range map[string]bool{fifo: false, dir: false, "/dev/zero": false, file: true, link: true} {
			content, err := Read(path, 1<<20)
			if (err == nil) != ok || ok && string(content) != "content" {
				t.Errorf("%s: %q, %v", path, content, err)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a FIFO is waited for")
	}
}

func TestNoMoreIsReadThanWasExpected(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 1<<20); err == nil || !strings.Contains(err.Error(), "at most 1 are taken") {
		t.Error(err)
	}
	if _, err := All(bytes.NewReader(make([]byte, 1<<20+1)), "it", 1<<20); err == nil || !strings.Contains(err.Error(), "more than 1 MiB") {
		t.Error(err)
	}
	if content, err := All(bytes.NewReader(make([]byte, 1<<20)), "it", 1<<20); err != nil || len(content) != 1<<20 {
		t.Error(len(content), err)
	}
}
