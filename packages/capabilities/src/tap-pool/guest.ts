import { address, gateway, prefixLength } from "@banger/domain/network.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { GuestPatch } from "../capability.ts"

/** The guest program sets the address itself; whatever manages networks in the image is told to leave eth0 alone. */
export const guest = ({ cidr, slot }: VmSpec): GuestPatch => ({
  network: {
    interface: "eth0",
    address: `${address(cidr, slot)}/${prefixLength(cidr)}`,
    gateway: gateway(cidr),
    resolvers: [gateway(cidr)],
    search: ["vm"]
  },
  files: [
    { path: "/run/systemd/network/00-banger.network", mode: "0644", content: "[Match]\nName=eth0\n[Link]\nUnmanaged=yes\n" },
    { path: "/run/NetworkManager/conf.d/banger.conf", mode: "0644", content: "[keyfile]\nunmanaged-devices=interface-name:eth0\n" }
  ],
  mask: ["systemd-networkd-wait-online.service", "NetworkManager-wait-online.service", "systemd-resolved.service"]
})
