import * as Context from "effect/Context"

/** The guest's `/`: a dm snapshot of the image's read-only file, with the VM's own COW file. */
export class RootDisk extends Context.Tag("@banger/capabilities/dm-snapshot/RootDisk")<RootDisk, {
  /** Name below /dev/mapper. */
  readonly device: string
}>() {}
