import * as Options from "@effect/cli/Options"
import type { CreateVm, VmChange } from "@banger/domain/api.ts"
import { ImageName, KernelName, VmName } from "@banger/domain/ids.ts"
import { DiskMib, MemoryMib, Vcpu } from "@banger/domain/vm.ts"
import { images, kernels } from "../../command-line/candidates.ts"
import { as, either, type ValuesOf } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"

/** What a new VM is to be; what is not given comes from the configuration. */
export const createFlags = {
  name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the VM (without it: an adjective and a noun)"), as(VmName)),
  image: Options.text("image").pipe(Options.withPseudoName("IMAGE"), Options.withDescription("image to boot (without it: default_image_name of the configuration, else debian-bookworm)"), as(ImageName, images)),
  kernel: Options.text("kernel").pipe(Options.withPseudoName("KERNEL"), Options.withDescription("kernel to boot (without it: the image's, else default_kernel of the configuration, else host)"), as(KernelName, kernels)),
  vcpu: Options.text("vcpu").pipe(Options.withPseudoName("N"), Options.withDescription("virtual CPUs: 1, or an even number up to 32 (without it: as banger doctor says)"), as(Values.number(Vcpu))),
  memory: Options.text("memory").pipe(Options.withPseudoName("MIB"), Options.withDescription("memory in MiB (without it: as banger doctor says)"), as(Values.number(MemoryMib))),
  diskSize: Options.text("disk-size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("size of the work disk, such as 16G (without it: as banger doctor says)"), as(Values.mib(DiskMib))),
  nat: either("nat").pipe(Options.withDescription("reach the internet, or not (without either: as banger doctor says)")),
  autostart: either("autostart").pipe(Options.withDescription("start it whenever the host boots, or not (without either: not)"))
}

/** Of these flags those that can be changed later, too (`vm set`). */
export const changePayload = (flags: Pick<ValuesOf<typeof createFlags>, "vcpu" | "memory" | "diskSize" | "nat" | "autostart">): VmChange => ({
  ...(flags.vcpu && { vcpu: flags.vcpu }),
  ...(flags.memory && { memoryMib: flags.memory }),
  ...(flags.diskSize && { diskMib: flags.diskSize }),
  ...(flags.nat !== undefined && { nat: flags.nat }),
  ...(flags.autostart !== undefined && { autostart: flags.autostart })
})

export const createPayload = (flags: ValuesOf<typeof createFlags>): CreateVm => ({
  ...(flags.name && { name: flags.name }),
  ...(flags.image && { image: flags.image }),
  ...(flags.kernel && { kernel: flags.kernel }),
  ...changePayload(flags)
})
