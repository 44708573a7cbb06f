import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { HelperUnreachable } from "@banger/domain/errors.ts"
import type { Digest, StagingId, VmId } from "@banger/domain/ids.ts"
import type { OpFailed } from "../op-failed.ts"
import type { StoreFact, Stored } from "./ops.ts"

/** Files of images and kernels that VMs share, root's own copies, each named by its sha256. */
export class ImageStore extends Context.Tag("@banger/capabilities/image-store/ImageStore")<ImageStore, {
  /** Copies a staged file into the store and removes it from staging. The same content twice is one file. */
  readonly ingest: (staging: StagingId) => Effect.Effect<Stored, OpFailed | HelperUnreachable>
  /** The same file, longer; what it already has of that length is left as it is. */
  readonly extend: (digest: Digest, sizeMib: number) => Effect.Effect<Stored, OpFailed | HelperUnreachable>
  /** What a stopped VM's disks hold. `image` is the root file system it was made of. Repeated, it gives the same files. */
  readonly seal: (vm: VmId, image: Digest) => Effect.Effect<{ readonly rootfs: Stored; readonly seed: Stored }, OpFailed | HelperUnreachable>
  /** Succeeds when it is not there. The caller knows that nothing uses it. */
  readonly remove: (digest: Digest) => Effect.Effect<void, OpFailed | HelperUnreachable>
  /** What lies in the store, and in the helper's caches. */
  readonly facts: Effect.Effect<ReadonlyArray<StoreFact>, OpFailed | HelperUnreachable>
  readonly list: Effect.Effect<ReadonlyArray<Digest>, OpFailed | HelperUnreachable>
}>() {}
