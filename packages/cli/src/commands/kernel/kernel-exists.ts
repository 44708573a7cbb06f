import * as Effect from "effect/Effect"
import { KernelNotFound } from "@banger/domain/errors.ts"
import type { KernelName } from "@banger/domain/ids.ts"
import { Daemon } from "../../daemon/daemon.ts"

/** Asked before gigabytes are copied for it. */
export const kernelExists = (name: KernelName | undefined) =>
  Effect.gen(function*() {
    if (name === undefined) return
    const daemon = yield* Daemon
    const kernels = yield* daemon.kernel.List()
    if (!kernels.some(({ files }) => files.name === name)) return yield* new KernelNotFound({ name })
  })
