import * as Effect from "effect/Effect"
import { MemoryHost } from "../memory-host.ts"
import { NatOps } from "./ops.ts"

export const handlers = NatOps.toLayer(Effect.map(MemoryHost, (host) => NatOps.of({
  "nat.Ensure": ({ enabled, slot }) => enabled ? host.add(`nat ${slot}`) : host.delete(`nat ${slot}`),
  "nat.Remove": ({ slot }) => host.delete(`nat ${slot}`),
  "nat.Facts": () => Effect.succeed({ nft: "nft", iptables: "iptables", forwarding: true, table: true, accepted: true, firewalld: false })
})))
