package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"banger.dev/native/internal/regular"
	"banger.dev/native/internal/room"
)

// Artifact is a file as it was written.
type Artifact struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// Imported says what an import wrote.
type Imported struct {
	Release     string   `json:"release"`
	Vmlinux     Artifact `json:"vmlinux"`
	ModulesCpio Artifact `json:"modulesCpio"`
	ModulesExt4 Artifact `json:"modulesExt4"`
}

// Import writes vmlinux, modules.cpio and modules.ext4 into the empty directory out, or nothing; and nothing into the reserve.
func Import(image, modules, out string, reserve room.Reserve) (*Imported, error) {
	return inScratch(out, func(scratch string) (*Imported, error) { return convert(image, modules, scratch, out, reserve) })
}

// inScratch gives work a directory inside the empty out, and removes it afterwards.
func inScratch(out string, work func(scratch string) (*Imported, error)) (result *Imported, err error) {
	if entries, err := os.ReadDir(out); err != nil {
		return nil, err
	} else if len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty", out)
	}
	scratch, err := os.MkdirTemp(out, ".import-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	return work(scratch)
}

// convert writes its files into scratch, and moves them to out once all are there.
func convert(image, modules, scratch, out string, reserve room.Reserve) (*Imported, error) {
	packed, err := regular.Read(image, maxVmlinux)
	if err != nil {
		return nil, err
	}
	elf, release, err := Vmlinux(packed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", image, err)
	}
	tree, err := OpenTree(modules, scratch)
	if err != nil {
		return nil, err
	}
	if tree.Release != release {
		return nil, fmt.Errorf("%s is kernel %s, the modules are for %s", image, release, tree.Release)
	}
	result := &Imported{Release: release}
	files := []struct {
		name  string
		about *Artifact
		write func(*room.File) error
	}{
		{"vmlinux", &result.Vmlinux, func(f *room.File) error { _, err := f.Write(elf); return err }},
		{"modules.cpio", &result.ModulesCpio, func(f *room.File) error { return tree.writeModules(f) }},
		{"modules.ext4", &result.ModulesExt4, func(f *room.File) error { return tree.writeExt4(f) }},
	}
	for _, f := range files {
		if *f.about, err = create(filepath.Join(scratch, f.name), reserve, f.write); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(scratch, f.name), filepath.Join(out, f.name)); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// PackGuest writes the initramfs part with the guest program to out, or nothing.
func PackGuest(program, out string, reserve room.Reserve) (Artifact, error) {
	content, err := regular.Read(program, maxModule)
	if err != nil {
		return Artifact{}, err
	}
	if err := checkELF(content); err != nil {
		return Artifact{}, fmt.Errorf("%s: %w", program, err)
	}
	part := out + ".part"
	artifact, err := create(part, reserve, func(f *room.File) error { return WriteGuest(f, content) })
	if err == nil {
		err = os.Rename(part, out)
	}
	if err != nil {
		os.Remove(part)
	}
	return artifact, err
}

func create(name string, reserve room.Reserve, write func(*room.File) error) (Artifact, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o644)
	if err != nil {
		return Artifact{}, err
	}
	defer f.Close()
	if err := write(reserve.Keep(f)); err != nil {
		return Artifact{}, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Artifact{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return Artifact{}, err
	}
	return Artifact{SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: n}, f.Close()
}
