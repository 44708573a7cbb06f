package kvm

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAFileThatIsNoKVMIsNamedAsSuch(t *testing.T) {
	device := filepath.Join(t.TempDir(), "kvm")
	if err := Try(device); !os.IsNotExist(err) {
		t.Fatalf("a missing device: %v", err)
	}
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Try(device); err == nil {
		t.Fatal("an ordinary file runs guests")
	}
	if os.Getuid() == 0 {
		return
	}
	if err := os.Chmod(device, 0); err != nil {
		t.Fatal(err)
	}
	if err := Try(device); err != ErrDenied {
		t.Fatalf("a device that is not ours: %v", err)
	}
}
