package agent

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxPorts bounds an answer, which hosts read no more than 256 KiB of.
	maxPorts = 1000
	// maxCommand is bytes of a command line: enough to know a program by.
	maxCommand = 100
)

// port is a socket that waits for others: one of TCP that listens, or one of UDP that is connected to nobody.
type port struct {
	Protocol string `json:"protocol"`
	Address  string `json:"address"`
	Port     uint16 `json:"port"`
	// PID is 0 where no process of the guest has the socket: the kernel itself, or one that has just gone.
	PID     int    `json:"pid"`
	Command string `json:"command"`
}

// ports answers with them in the order of their numbers, and with how many there are.
func (a *Agent) ports(w http.ResponseWriter, _ *http.Request) {
	found := waiting("/proc")
	reply(w, http.StatusOK, map[string]any{"ports": found[:min(len(found), maxPorts)], "total": len(found)})
}

// waiting reads the kernel's tables of sockets and whose they are.
func waiting(proc string) []port {
	sockets := map[string][]port{}
	for _, protocol := range []string{"tcp", "udp"} {
		for at, inode := range open(filepath.Join(proc, "net"), protocol) {
			sockets[inode] = append(sockets[inode], port{Protocol: protocol, Address: at.Addr().String(), Port: at.Port()})
		}
	}
	owners(proc, sockets)
	all := []port{}
	for _, ports := range sockets {
		all = append(all, ports...)
	}
	slices.SortFunc(all, func(one, other port) int {
		return cmp.Or(cmp.Compare(one.Port, other.Port), cmp.Compare(one.Protocol, other.Protocol), cmp.Compare(one.Address, other.Address), cmp.Compare(one.PID, other.PID))
	})
	return slices.Compact(all)
}

// open yields address and inode of each socket in the kernel's tables, as /proc/net has them, that waits for others.
func open(net, protocol string) iter.Seq2[netip.AddrPort, string] {
	return func(yield func(netip.AddrPort, string) bool) {
		for _, table := range []string{protocol, protocol + "6"} {
			f, err := os.Open(filepath.Join(net, table))
			if err != nil {
				continue // a kernel without IPv6
			}
			defer f.Close()
			for lines := bufio.NewScanner(f); lines.Scan(); {
				if at, inode, ok := socketOf(protocol, strings.Fields(lines.Text())); ok && !yield(at, inode) {
					return
				}
			}
		}
	}
}

// socketOf reads a line of /proc/net/{tcp,udp}: its local address and inode, when the socket waits for others.
func socketOf(protocol string, fields []string) (netip.AddrPort, string, bool) {
	const local, remote, state, inode = 1, 2, 3, 9
	if len(fields) <= inode {
		return netip.AddrPort{}, "", false
	}
	switch {
	case protocol == "tcp" && fields[state] != "0A": // TCP_LISTEN
		return netip.AddrPort{}, "", false
	case protocol == "udp" && !strings.HasSuffix(fields[remote], ":0000"):
		return netip.AddrPort{}, "", false
	}
	at, err := addressOf(fields[local])
	return at, fields[inode], err == nil
}

// addressOf reads `0100007F:0016`: the address in words of 32 bits, each in the order of the processor's bytes.
func addressOf(text string) (netip.AddrPort, error) {
	words, number, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(words)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for at := 0; at+4 <= len(raw); at += 4 {
		binary.BigEndian.PutUint32(raw[at:], binary.NativeEndian.Uint32(raw[at:]))
	}
	address, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", words)
	}
	port, err := strconv.ParseUint(number, 16, 16)
	return netip.AddrPortFrom(address, uint16(port)), err
}

// owners looks for the sockets among the open files of all processes, the oldest first: those that inherit one are younger.
func owners(proc string, sockets map[string][]port) {
	for _, pid := range processes(proc) {
		process := filepath.Join(proc, strconv.Itoa(pid))
		files, _ := os.ReadDir(filepath.Join(process, "fd"))
		for _, file := range files {
			link, err := os.Readlink(filepath.Join(process, "fd", file.Name()))
			if err != nil {
				continue // closed meanwhile
			}
			inode, _ := strings.CutPrefix(link, "socket:[")
			ports := sockets[strings.TrimSuffix(inode, "]")]
			for i := range ports {
				if ports[i].PID == 0 {
					ports[i].PID, ports[i].Command = pid, commandOf(process)
				}
			}
		}
	}
}

func processes(proc string) []int {
	entries, _ := os.ReadDir(proc)
	pids := []int{}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// commandOf is a process's command line, or its name where that is empty.
func commandOf(process string) string {
	line, _ := os.ReadFile(filepath.Join(process, "cmdline"))
	text := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	if text == "" {
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		text = strings.TrimSpace(string(name))
	}
	return text[:min(len(text), maxCommand)]
}
