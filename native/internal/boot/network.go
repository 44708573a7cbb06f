package boot

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

func (b *boot) network() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	n := b.config.Network
	if n == nil {
		return nil
	}
	if err := awaitDevice("/sys/class/net/" + n.Interface); err != nil {
		return err
	}
	link, err := netlink.LinkByName(n.Interface)
	if err != nil {
		return fmt.Errorf("find %s: %w", n.Interface, err)
	}
	address := &net.IPNet{IP: n.Address.Addr().AsSlice(), Mask: net.CIDRMask(n.Address.Bits(), n.Address.Addr().BitLen())}
	if err := netlink.AddrReplace(link, &netlink.Addr{IPNet: address}); err != nil {
		return fmt.Errorf("give %s the address %s: %w", n.Interface, n.Address, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", n.Interface, err)
	}
	if !n.Gateway.IsValid() {
		return nil
	}
	// A nil destination is the default route.
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: n.Gateway.AsSlice()}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("default route through %s: %w", n.Gateway, err)
	}
	return nil
}
