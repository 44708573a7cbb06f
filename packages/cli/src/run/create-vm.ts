import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CreateVm } from "@banger/domain/api.ts"
import { callerOf } from "../daemon/caller.ts"
import { Daemon } from "../daemon/daemon.ts"
import { showImage } from "../output/image-progress.ts"
import { say } from "../output/text.ts"
import { planFileSync, syncing } from "./file-sync.ts"

/** Creates a VM of an image that is here, with the files that the configuration has each one get. */
export const createHere = (wanted: CreateVm) =>
  Stream.unwrap(Effect.zipWith(Daemon, planFileSync(wanted.diskMib), (daemon, planned) => syncing(planned)(daemon.vm.Create(wanted))))

/** The same; an image that is missing is made first, when a catalog has it, and stderr tells. */
export const create = (wanted: CreateVm, verbose: boolean) =>
  Stream.catchTag(createHere(wanted), "ImageNotFound", ({ name }) => {
    const made = Effect.gen(function*() {
      yield* say(`image ${name} is not here yet: made now, once, if a catalog has it`)
      const [daemon, session] = yield* Effect.zip(Daemon, callerOf({ name }))
      return yield* showImage(name, daemon.image.Get({ name, session, update: false }), verbose, process.stderr)
    })
    return Stream.concat(Stream.execute(made), createHere(wanted))
  })
