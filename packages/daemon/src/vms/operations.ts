import { VmBusy, type VmError } from "@banger/domain/errors.ts"
import type { VmId } from "@banger/domain/ids.ts"
import type { Progress } from "@banger/domain/progress.ts"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeOperations, type Operations as Of } from "../operations.ts"

/** What can be done to a VM, as a busy VM says it: "being stopped". */
export type Doing = "created" | "started" | "stopped" | "restarted" | "deleted" | "paused" | "resumed" | "recovered" | "cleaned up" | `changed to ${string}`

export type Emit = (event: Progress) => Effect.Effect<void>

/** Work on VMs, at most one piece a VM. */
export class Operations extends Context.Tag("@banger/daemon/Operations")<Operations, Of<VmId, Doing, Progress, VmError, VmBusy>>() {
  static readonly layer = Layer.scoped(Operations, makeOperations<VmId, Doing, Progress, VmError, VmBusy>({
    busy: (name, doing) => new VmBusy({ name, doing }),
    passing: () => false
  }))
}
