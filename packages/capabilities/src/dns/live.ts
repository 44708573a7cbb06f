import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { address } from "@banger/domain/network.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability } from "../capability.ts"
import { checks } from "./check.ts"
import { Dns, DnsRecord } from "./contract.ts"

/** A VM's name, its address, and whether its guest's other look-ups are passed on. */
export const published = ({ cidr, name, nat, slot }: VmSpec) => ({ name, address: address(cidr, slot), forward: nat })

/** The server lives in the daemon, so the record is an attachment: a daemon that comes back publishes it again. */
export const dns: Capability<DnsRecord, never, Dns, Dns> = {
  name: "dns",
  layer: (spec) =>
    Layer.scoped(DnsRecord, Effect.gen(function*() {
      const server = yield* Dns
      yield* Effect.acquireRelease(server.publish(published(spec)), () => server.withdraw(published(spec)))
      return { name: `${spec.name}.vm`, address: address(spec.cidr, spec.slot) }
    })),
  reclaim: (spec) => Effect.flatMap(Dns, (server) => server.withdraw(published(spec))),
  checks
}
