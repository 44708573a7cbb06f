// Package config holds what a host tells its guest, and how the guest asks for it.
package config

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Protocol is the version of docs/guest-protocol.md that this program speaks.
const Protocol = 1

// MaxBody bounds every JSON body in either direction, in bytes.
const MaxBody = 1 << 20

// Config is the answer to GET /v1/config.
type Config struct {
	Protocol int      `json:"protocol"`
	Hostname string   `json:"hostname"`
	Network  *Network `json:"network"`
	Mounts   []Mount  `json:"mounts"`
	Files    []File   `json:"files"`
	Mask     []string `json:"mask"`
	// Environment is what the image's maker set for every process.
	Environment map[string]string `json:"environment"`
	// Timezone is the host's, a name of the tz database; empty: not known.
	Timezone string `json:"timezone"`
	UnixTime int64  `json:"unixTime"`
}

// Network is the guest's one interface.
type Network struct {
	Interface string       `json:"interface"`
	Address   netip.Prefix `json:"address"`
	Gateway   netip.Addr   `json:"gateway"`
	Resolvers []netip.Addr `json:"resolvers"`
	Search    []string     `json:"search"`
}

// Mount is a file system beside the root.
type Mount struct {
	Device   string `json:"device"`
	At       string `json:"at"`
	Type     string `json:"type"`
	ReadOnly bool   `json:"readOnly"`
	Grow     bool   `json:"grow"`
}

// File is written into the guest as root's.
type File struct {
	Path    string `json:"path"`
	Mode    Mode   `json:"mode"`
	Content string `json:"content"`
	// Unless has paths; where one of them is there, the file is not written.
	Unless []string `json:"unless"`
}

// Mode is a file mode written as octal text, such as "0600".
type Mode fs.FileMode

// UnmarshalText reads three or four octal digits.
func (m *Mode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("mode %q: want octal permissions such as 0600", text)
	}
	*m = Mode(n)
	return nil
}

var (
	hostname = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$`)
	unit     = regexp.MustCompile(`^[A-Za-z0-9:_.@\\-]{1,255}$`)
	timezone = regexp.MustCompile(`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$`)
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// 15 bytes: the kernel's IFNAMSIZ less the final zero.
	iface = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,15}$`)
)

// IsHostname tells what a guest may be called.
func IsHostname(name string) bool { return hostname.MatchString(name) }

// Decode reads and checks a configuration.
func Decode(r io.Reader) (*Config, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("configuration is larger than %d bytes", MaxBody)
	}
	var c Config
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return &c, nil
}

func (c *Config) check() error {
	if c.Protocol != Protocol {
		return fmt.Errorf("protocol %d: this guest program speaks %d", c.Protocol, Protocol)
	}
	if !IsHostname(c.Hostname) {
		return fmt.Errorf("hostname %q is not a host name", c.Hostname)
	}
	if n := c.Network; n != nil {
		if !iface.MatchString(n.Interface) {
			return fmt.Errorf("network.interface %q is not an interface name", n.Interface)
		}
		if !n.Address.IsValid() {
			return fmt.Errorf("network.address is missing")
		}
		for _, s := range n.Search {
			if strings.ContainsAny(s, " \t\n") {
				return fmt.Errorf("network.search %q is not a domain", s)
			}
		}
	}
	for _, m := range c.Mounts {
		if !cleanAbsolute(m.Device) || !cleanAbsolute(m.At) || m.At == "/" {
			return fmt.Errorf("mount of %q at %q: both must be absolute, clean and not /", m.Device, m.At)
		}
		if m.Type == "" {
			return fmt.Errorf("mount at %q has no type", m.At)
		}
	}
	for _, f := range c.Files {
		if !cleanAbsolute(f.Path) || f.Path == "/" {
			return fmt.Errorf("file %q: the path must be absolute and clean", f.Path)
		}
		for _, path := range f.Unless {
			if !cleanAbsolute(path) {
				return fmt.Errorf("file %q: unless %q: the path must be absolute and clean", f.Path, path)
			}
		}
	}
	if c.Timezone != "" && !timezone.MatchString(c.Timezone) {
		return fmt.Errorf("timezone %q is no name of the tz database", c.Timezone)
	}
	for name, value := range c.Environment {
		if !variable.MatchString(name) || strings.ContainsRune(value, 0) {
			return fmt.Errorf("environment %q is not a variable", name)
		}
	}
	for _, u := range c.Mask {
		if !unit.MatchString(u) || strings.HasPrefix(u, ".") {
			return fmt.Errorf("mask %q is not a unit name", u)
		}
	}
	return nil
}

func cleanAbsolute(p string) bool {
	return strings.HasPrefix(p, "/") && path.Clean(p) == p && !strings.ContainsRune(p, 0)
}
