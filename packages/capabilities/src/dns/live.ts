import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { address } from "@banger/domain/network.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability } from "../capability.ts"
import { checks } from "./check.ts"
import { Dns, DnsRecord } from "./contract.ts"

/** A VM's name, its address, and whether its guest's other look-ups are passed on. */
export const published = ({ cidr, id, name, nat, slot }: VmSpec) => ({ vm: id, name, address: address(cidr, slot), forward: nat })

/**
 * The server lives in the daemon, so the record is an attachment: a daemon that comes back publishes it again. A VM that runs may
 * be given another name, or lose NAT: its record is made anew, and the attachment's end withdraws that one.
 */
export const dns: Capability<DnsRecord, never, Dns, Dns> = {
  name: "dns",
  layer: (spec) =>
    Layer.scoped(DnsRecord, Effect.gen(function*() {
      const server = yield* Dns
      yield* Effect.acquireRelease(server.publish(published(spec)), () => server.withdraw(spec.id))
      return { name: `${spec.name}.vm`, address: address(spec.cidr, spec.slot) }
    })),
  adjust: (spec) => Effect.flatMap(Dns, (server) => server.publish(published(spec))),
  reclaim: ({ id }) => Effect.flatMap(Dns, (server) => server.withdraw(id)),
  checks
}
