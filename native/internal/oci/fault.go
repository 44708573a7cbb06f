package oci

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"banger.dev/native/internal/room"
)

// Kind of a fault, for programs; the message is for people.
type Kind string

const (
	BadReference Kind = "bad-reference"
	Unauthorized Kind = "unauthorized"
	NotFound     Kind = "not-found"
	RateLimited  Kind = "rate-limited"
	Registry     Kind = "registry"
	WrongDigest  Kind = "wrong-digest"
	NoPlatform   Kind = "no-platform"
	BadImage     Kind = "bad-image"
	BadLayer     Kind = "bad-layer"
	TooLarge     Kind = "too-large"
	DiskFull     Kind = "disk-full"
	NoRoom       Kind = "no-room"
	BadSource    Kind = "bad-source"
	Failed       Kind = "failed"
)

// Fault is an error that a user can do something about.
type Fault struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	// Fix may be empty: then the message says it all.
	Fix string `json:"fix"`
}

func (f *Fault) Error() string { return f.Message }

func fault(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func (f *Fault) mend(fix string) *Fault {
	f.Fix = fix
	return f
}

// known tells what has its meaning already: a fault, or an error of this host's files.
func known(err error) bool {
	var host *os.PathError
	var full *room.Full
	f := (*Fault)(nil)
	return errors.As(err, &f) || errors.As(err, &host) || errors.As(err, &full)
}

// AsFault gives any error a kind. The text of the error keeps what was wrapped around a fault: where it happened.
func AsFault(err error) *Fault {
	known := &Fault{Kind: Failed}
	var full *room.Full
	switch inner := (*Fault)(nil); {
	case errors.As(err, &inner):
		known.Kind, known.Fix = inner.Kind, inner.Fix
	case errors.As(err, &full):
		known.Kind, known.Fix = NoRoom, room.Fix
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		known.Kind, known.Fix = DiskFull, "df -h /var/cache/banger /var/lib/banger; banger prune removes what nothing uses"
	}
	known.Message = err.Error()
	return known
}
