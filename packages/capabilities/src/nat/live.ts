import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { checks } from "./check.ts"
import { Nat } from "./contract.ts"

const held = ({ nat, slot }: VmSpec) => ({
  what: nat ? "nat" : "no nat",
  find: nat
    ? Effect.flatMap(Helper, (helper) => helper.nat.Find({ slot })).pipe(
      Effect.map((found) => found ? Option.some({ enabled: true }) : Option.none())
    )
    : Effect.succeed(Option.some({ enabled: false })),
  create: Effect.flatMap(Helper, (helper) => helper.nat.Ensure({ slot })).pipe(Effect.as({ enabled: true })),
  remove: removing("nat rules", Effect.flatMap(Helper, (helper) => helper.nat.Remove({ slot })))
})

export const nat = holding({ name: "nat", provides: Nat, held, checks })
