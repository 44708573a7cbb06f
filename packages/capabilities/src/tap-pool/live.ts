import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { address, mac, tapName } from "@banger/domain/network.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { checks } from "./check.ts"
import { Tap } from "./contract.ts"
import { guest } from "./guest.ts"

const held = ({ cidr, slot }: VmSpec) => {
  const tap = { device: tapName(slot), mac: mac(slot), address: address(cidr, slot) }
  return {
    what: `tap ${tap.device}`,
    find: Effect.flatMap(Helper, (helper) => helper.tap.Find({ slot })).pipe(
      Effect.map((found) => found ? Option.some(tap) : Option.none())
    ),
    create: Effect.flatMap(Helper, (helper) => helper.tap.Ensure({ slot })).pipe(Effect.as(tap)),
    remove: removing(`tap ${tap.device}`, Effect.flatMap(Helper, (helper) => helper.tap.Remove({ slot })))
  }
}

const objects = ({ slot }: VmSpec) => [`interface ${tapName(slot)}`]

export const tapPool = holding({ name: "tap-pool", provides: Tap, held, objects, guest, checks })
