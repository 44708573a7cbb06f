import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { address } from "@banger/domain/network.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { checks } from "./check.ts"
import { Nat } from "./contract.ts"

const ensure = ({ nat, slot }: VmSpec) =>
  Effect.flatMap(Helper, (helper) => helper.nat.Ensure({ slot, enabled: nat })).pipe(Effect.as({ enabled: nat }))

/** Rules that a firewall's reload took away are no reason to give up a VM: finding them puts them back. No NAT is a rule, too: what another VM left for the slot goes. */
const held = (spec: VmSpec) => ({
  what: spec.nat ? "nat" : "no nat",
  find: Effect.map(ensure(spec), Option.some),
  create: ensure(spec),
  remove: removing("nat rules", Effect.flatMap(Helper, (helper) => helper.nat.Remove({ slot: spec.slot })))
})

const objects = ({ cidr, nat, slot }: VmSpec) => nat ? [`nat rule of ${address(cidr, slot)}`] : []

export const nat = holding({ name: "nat", provides: Nat, held, adjust: ensure, objects, checks })
