/** MiB. Firecracker's own (5, by its specification), the jailer's copy of it in the page cache, stacks, seccomp. */
const OWN_MIB = 64

/** MiB of page cache for a VM's disks, at the least. */
const CACHE_MIB = 256

/**
 * MiB that a VM's unit may take: a bound for a Firecracker that was broken into, or leaks, which no guest meets. Above the guest's
 * memory the kernel charges to the unit
 * - 1/32 of it: page tables of the process (1/512), of the VM (1/512, or 1/50 by KVM_PERMILLE_MMU_PAGES where KVM shadows them), and the way back (1/512);
 * - the page cache of its disks, of the dm device and below it of the COW file. It is reclaimed rather than run out of, but a
 *   fifth of it is all that may wait to be written (vm.dirty_ratio counts within the unit): 50 MiB on their way keep a disk busy.
 * 1023 vsock connections, the most that Firecracker takes, hold 272 MiB when nobody reads them: 64 KiB each, and 208 in the socket.
 */
export const memoryMaxMib = (memoryMib: number): number =>
  memoryMib + Math.ceil(memoryMib / 32) + OWN_MIB + Math.max(CACHE_MIB, Math.ceil(memoryMib / 4))

/**
 * The drop-in of a VM's unit. A host that is short of memory may swap the guest's out, and no more than that. No CPUWeight: without
 * one the kernel weighs threads, so a VM counts by its vCPUs, and a scheduling group for each VM would cost at every wake-up.
 */
export const limits = (memoryMib: number): string => `[Service]
MemoryMax=${memoryMaxMib(memoryMib)}M
MemorySwapMax=${memoryMib}M
`
