import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { HelperUnreachable } from "@banger/domain/errors.ts"
import type { Digest, StagingId } from "@banger/domain/ids.ts"
import type { OpFailed } from "../op-failed.ts"

/** Files of images and kernels that VMs share, root's own copies, each named by its sha256. */
export class ImageStore extends Context.Tag("@banger/capabilities/image-store/ImageStore")<ImageStore, {
  /** Copies a staged file into the store and removes it from staging. The same content twice is one file. */
  readonly ingest: (staging: StagingId) => Effect.Effect<{ readonly digest: Digest; readonly bytes: number }, OpFailed | HelperUnreachable>
  /** Succeeds when it is not there. The caller knows that nothing uses it. */
  readonly remove: (digest: Digest) => Effect.Effect<void, OpFailed | HelperUnreachable>
  readonly list: Effect.Effect<ReadonlyArray<Digest>, OpFailed | HelperUnreachable>
}>() {}
