import { ImageName, KernelName, VmName } from "@banger/domain/ids.ts"
import { DiskMib, MemoryMib, Vcpu } from "@banger/domain/vm.ts"
import type { CreateVm } from "@banger/domain/api.ts"
import * as Decode from "../../command-line/values.ts"
import * as Flags from "../../command-line/flags.ts"

/** What a new VM is to be; what is not given comes from the configuration. */
export const createFlags = {
  name: Flags.value("NAME", "name of the VM (without it: an adjective and a noun)", Decode.as(VmName)),
  image: Flags.value("IMAGE", "image to boot", Decode.as(ImageName)),
  kernel: Flags.value("KERNEL", "kernel to boot", Decode.as(KernelName)),
  vcpu: Flags.value("N", "virtual CPUs: 1, or an even number up to 32", Decode.number(Vcpu)),
  memory: Flags.value("MIB", "memory in MiB", Decode.number(MemoryMib)),
  "disk-size": Flags.value("SIZE", "size of the work disk, such as 16G", Decode.mib(DiskMib)),
  nat: Flags.either("reach the internet, or not")
}

export const createPayload = (flags: Flags.Values<typeof createFlags>): CreateVm => ({
  ...(flags.name && { name: flags.name }),
  ...(flags.image && { image: flags.image }),
  ...(flags.kernel && { kernel: flags.kernel }),
  ...(flags.vcpu && { vcpu: flags.vcpu }),
  ...(flags.memory && { memoryMib: flags.memory }),
  ...(flags["disk-size"] && { diskMib: flags["disk-size"] }),
  ...(flags.nat !== undefined && { nat: flags.nat })
})
