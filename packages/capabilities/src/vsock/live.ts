import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { runDir, vsockSocket } from "../paths.ts"
import { Vsock } from "./contract.ts"

const held = ({ id, slot }: VmSpec) => {
  const vsock = { directory: runDir(id), socket: vsockSocket(id) }
  return {
    what: "socket directory",
    find: Effect.flatMap(Helper, (helper) => helper.vsock.Find({ vm: id })).pipe(
      Effect.map((found) => found ? Option.some(vsock) : Option.none())
    ),
    create: Effect.flatMap(Helper, (helper) => helper.vsock.Ensure({ vm: id, slot })).pipe(Effect.as(vsock)),
    remove: removing("socket directory", Effect.flatMap(Helper, (helper) => helper.vsock.Remove({ vm: id })))
  }
}

const objects = ({ id }: VmSpec) => [`socket directory ${id}`]

export const vsock = holding({ name: "vsock", provides: Vsock, held, objects, checks: [] })
