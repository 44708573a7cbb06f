import * as Context from "effect/Context"

/** The VM's own disk, the guest's `/root`: an ext4 in a sparse file owned by the VM's uid. */
export class WorkDisk extends Context.Tag("@banger/capabilities/work-disk/WorkDisk")<WorkDisk, {
  readonly file: string
}>() {}
