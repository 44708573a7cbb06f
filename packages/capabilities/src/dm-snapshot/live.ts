import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { dmName } from "../paths.ts"
import { checks } from "./check.ts"
import { RootDisk } from "./contract.ts"

const held = ({ id, image }: VmSpec) => {
  const disk = { device: dmName(id) }
  return {
    what: "root disk",
    find: Effect.flatMap(Helper, (helper) => helper.dm.Find({ vm: id })).pipe(
      Effect.map((found) => found ? Option.some(disk) : Option.none())
    ),
    create: Effect.flatMap(Helper, (helper) => helper.dm.Ensure({ vm: id, image: image.rootfs })).pipe(Effect.as(disk)),
    remove: removing(`dm device ${disk.device}`, Effect.flatMap(Helper, (helper) => helper.dm.Remove({ vm: id })))
  }
}

const estate = {
  ensure: ({ id, image }: VmSpec) => Effect.flatMap(Helper, (helper) => helper.dm.EnsureCow({ vm: id, image: image.rootfs })),
  remove: ({ id }: VmSpec) => removing("COW file", Effect.flatMap(Helper, (helper) => helper.dm.RemoveCow({ vm: id })))
}

const objects = ({ id }: VmSpec) => [`dm device ${dmName(id)}`]

export const dmSnapshot = holding({ name: "dm-snapshot", provides: RootDisk, held, objects, estate, checks })
