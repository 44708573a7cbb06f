import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { OpFailed } from "../op-failed.ts"
import { workFile } from "../paths.ts"
import { checks } from "./check.ts"
import { WorkDisk } from "./contract.ts"
import { guest } from "./guest.ts"

/** A run takes nothing of its own here: it needs the disk that create made, and leaves it. */
const held = ({ id, name }: VmSpec) => {
  const find = Effect.flatMap(Helper, (helper) => helper.work.Find({ vm: id })).pipe(
    Effect.map((found) => found ? Option.some({ file: workFile(id) }) : Option.none())
  )
  const missing = () => new OpFailed({ subject: "work disk", problem: `${workFile(id)} is missing`, fix: `banger vm delete ${name}: its files are gone` })
  return { what: "work disk", find, create: Effect.flatMap(find, Effect.mapError(missing)), remove: Effect.void }
}

const estate = {
  ensure: ({ diskMib, id, image, slot }: VmSpec) =>
    Effect.flatMap(Helper, (helper) => helper.work.Ensure({ vm: id, slot, diskMib, seed: image.seed })),
  remove: ({ id }: VmSpec) => removing("work disk", Effect.flatMap(Helper, (helper) => helper.work.Remove({ vm: id })))
}

export const workDisk = holding({ name: "work-disk", provides: WorkDisk, held, estate, guest, checks })
