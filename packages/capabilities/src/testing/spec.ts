import { Digest, ImageName, KernelName, Slot, VmId, VmName } from "@banger/domain/ids.ts"
import { Cidr } from "@banger/domain/network.ts"
import { VmSpec } from "@banger/domain/vm.ts"

const digest = (digit: string) => Digest.make(digit.repeat(64))

/** A VM for tests; what a test is about is said in `change`. */
export const testSpec = (change: Partial<VmSpec> = {}): VmSpec =>
  new VmSpec({
    id: VmId.make("00000000000000a1"),
    name: VmName.make("brave-otter"),
    slot: Slot.make(5),
    cidr: Cidr.make("172.16.0.0/24"),
    vcpu: 1,
    memoryMib: 256,
    diskMib: 1024,
    nat: true,
    image: { name: ImageName.make("debian-bookworm"), generation: 1, rootfs: digest("1"), seed: null },
    kernel: { name: KernelName.make("host"), release: "6.1.0-40-cloud-amd64", vmlinux: digest("2"), initrd: digest("3"), modules: digest("4") },
    run: null,
    extra: {},
    ...change
  })
