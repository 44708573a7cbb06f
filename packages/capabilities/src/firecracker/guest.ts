import type { VmSpec } from "@banger/domain/vm.ts"
import type { GuestPatch } from "../capability.ts"
import { deviceOf } from "./drives.ts"

export const guest = ({ kernel }: VmSpec): GuestPatch => ({
  mounts: [{ device: deviceOf("modules"), at: `/lib/modules/${kernel.release}`, type: "ext4", readOnly: true, grow: false }]
})
