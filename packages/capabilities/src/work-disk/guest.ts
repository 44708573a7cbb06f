import type { GuestPatch } from "../capability.ts"
import { deviceOf } from "../firecracker/drives.ts"

export const guest = (): GuestPatch => ({
  mounts: [{ device: deviceOf("work"), at: "/root", type: "ext4", readOnly: false, grow: true }]
})
