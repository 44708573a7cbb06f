import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CreateVm } from "@banger/domain/api.ts"
import { callerOf } from "../daemon/caller.ts"
import { Daemon } from "../daemon/daemon.ts"
import { showImage } from "../output/image-progress.ts"
import { say } from "../output/text.ts"
import { planFileSync, syncing } from "./file-sync.ts"

/** Creates a VM, with the files that the configuration has each one get. An image that is missing is made first, when a catalog has it; stderr tells. */
export const create = (wanted: CreateVm, verbose: boolean) =>
  Stream.unwrap(Effect.zipWith(Daemon, planFileSync(wanted.diskMib), (daemon, planned) => {
    const created = Stream.catchTag(daemon.vm.Create(wanted), "ImageNotFound", ({ name }) => {
      const made = Effect.zipRight(
        say(`image ${name} is not here yet: made now, once, if a catalog has it`),
        Effect.flatMap(callerOf({ name }), (session) => showImage(name, daemon.image.Get({ name, session, update: false }), verbose, process.stderr))
      )
      return Stream.concat(Stream.execute(made), daemon.vm.Create(wanted))
    })
    return syncing(planned)(created)
  }))
