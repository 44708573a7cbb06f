package boot

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/clock"
	"banger.dev/native/internal/config"
	"banger.dev/native/internal/regular"
)

// identify goes on without a file that has no place in the image.
func (b *boot) identify() error {
	if err := unix.Sethostname([]byte(b.config.Hostname)); err != nil {
		return fmt.Errorf("set hostname %q: %w", b.config.Hostname, err)
	}
	old, err := os.ReadFile("/etc/hosts")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.warn("%v", err)
	}
	files := map[string][]byte{"/etc/hostname": []byte(b.config.Hostname + "\n"), "/etc/hosts": hosts(old, b.config.Hostname)}
	if n := b.config.Network; n != nil && len(n.Resolvers) > 0 {
		files["/etc/resolv.conf"] = resolvConf(n)
	}
	for path, content := range files {
		if err := replaceFile(path, 0o644, content); err != nil {
			b.warn("%v", err)
		}
	}
	if err := clock.Follow(time.Unix(b.config.UnixTime, 0), time.Second); err != nil {
		b.warn("%v", err)
	}
	return nil
}

// maxHosts is more than anybody writes into /etc/hosts.
const maxHosts = 1 << 20

// Rename gives a guest that runs another host name, as identify does at boot.
func Rename(hostname string) error {
	former, err := os.Hostname()
	if err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(hostname)); err != nil {
		return fmt.Errorf("set hostname %q: %w", hostname, err)
	}
	old, err := regular.Read("/etc/hosts", maxHosts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(
		replaceFile("/etc/hosts", 0o644, hosts(without(old, former), hostname)),
		replaceFile("/etc/hostname", 0o644, []byte(hostname+"\n")),
	)
}

// without takes away the line that hosts has added for a name.
func without(old []byte, hostname string) []byte {
	var out []byte
	for line := range bytes.Lines(old) {
		if string(line) != added(hostname) {
			out = append(out, line...)
		}
	}
	return out
}

func added(hostname string) string { return "127.0.1.1\t" + hostname + "\n" }

// hosts keeps the image's lines and adds what is missing.
func hosts(old []byte, hostname string) []byte {
	var known []string
	for lines := bufio.NewScanner(bytes.NewReader(old)); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if fields := strings.Fields(text); len(fields) > 1 {
			known = append(known, fields[1:]...)
		}
	}
	out := slices.Clone(old)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	if !slices.Contains(known, "localhost") {
		out = append(out, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"...)
	}
	if !slices.Contains(known, hostname) {
		out = append(out, added(hostname)...)
	}
	return out
}

func resolvConf(n *config.Network) []byte {
	var out bytes.Buffer
	if len(n.Search) > 0 {
		fmt.Fprintf(&out, "search %s\n", strings.Join(n.Search, " "))
	}
	for _, r := range n.Resolvers {
		fmt.Fprintf(&out, "nameserver %s\n", r)
	}
	if len(n.Resolvers) == 1 {
		// There is no other to ask, and queries wait in the host's sockets while its name server starts: glibc waits for timeout x attempts,
		// 100 s in place of 10, musl for the timeout, 20 s in place of 5. An answer that came late is taken as one that came at once.
		out.WriteString("options timeout:20 attempts:5\n")
	}
	return out.Bytes()
}
