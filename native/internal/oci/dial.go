package oci

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// dialer connects no further into our own network than the origin itself lies: not for a redirect, not for where tokens are
// had, and whatever a name resolves to by then. A proxy goes where it may.
func (p *Pull) dialer(ctx context.Context, origin *url.URL) func(ctx context.Context, network, address string) (net.Conn, error) {
	// As those of Go's own transport.
	d := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: origin})
	if p.Insecure || err == nil && proxy != nil {
		return d.DialContext
	}
	allowed := nearnessOf(ctx, origin.Hostname())
	d.Control = func(_, address string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err != nil || nearness(to.Addr()) > allowed {
			return fault(Registry, "%s sends us to %s, an address of this network", origin.Host, address).mend("--insecure allows that for this pull")
		}
		return nil
	}
	return d.DialContext
}

// shared addresses are private to a provider's network (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// nearness of an address: the higher, the less it is a stranger's business.
func nearness(ip netip.Addr) int {
	switch ip = ip.Unmap(); {
	// Services for this machine alone: a cloud's are link-local.
	case ip.IsLinkLocalUnicast() || ip.IsUnspecified():
		return 3
	case ip.IsLoopback():
		return 2
	case ip.IsPrivate() || shared.Contains(ip):
		return 1
	}
	return 0
}

// nearnessOf a host is that of its nearest address. A name that is not known is far away.
func nearnessOf(ctx context.Context, host string) int {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return 0
	}
	nearest := 0
	for _, ip := range addresses {
		nearest = max(nearest, nearness(ip))
	}
	return nearest
}
