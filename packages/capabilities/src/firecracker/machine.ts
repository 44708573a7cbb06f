import type { VmSpec } from "@banger/domain/vm.ts"
import { atLeast } from "./version.ts"

export interface ApiRequest {
  readonly path: string
  readonly body: object
}

/**
 * - reboot=k, panic=1: a reset through the keyboard controller is what ends Firecracker; a panic then ends it after 1 s.
 * - i8042.*: spares the probes for a mouse and multiplexer that are not there (half a second).
 * - random.trust_cpu, cryptomgr.notests: no waiting for entropy, no self tests.
 * - net.ifnames=0: udev would rename the interface that the guest program has set up.
 * - Not Firecracker's own default `nomodule`: distribution kernels have their virtio drivers as modules.
 */
const BOOT_ARGS =
  "console=ttyS0 reboot=k panic=1 pci=off 8250.nr_uarts=1 i8042.noaux i8042.nomux i8042.dumbkbd random.trust_cpu=on net.ifnames=0 quiet loglevel=3 cryptomgr.notests"

/** In the jail: names are relative, so that a snapshot of the VM can be loaded in another jail. */
const drive = (id: string, readOnly: boolean): ApiRequest => ({
  path: `/drives/${id}`,
  // Writeback passes the guest's flushes on to the host; the default loses acknowledged fsyncs at a power cut.
  body: { drive_id: id, path_on_host: id, is_root_device: false, is_read_only: readOnly, cache_type: readOnly ? "Unsafe" : "Writeback" }
})

/** Starts the VM, once it is configured. */
export const START: ApiRequest = { path: "/actions", body: { action_type: "InstanceStart" } }

/** Stops the VM's processors, and lets them go on. What the guest has put into its disks' queues by then is still written. */
export const PAUSE: ApiRequest = { path: "/vm", body: { state: "Paused" } }
export const RESUME: ApiRequest = { path: "/vm", body: { state: "Resumed" } }

/** The requests that configure a VM, in their order (that of the drives names them in the guest), without what this Firecracker does not know yet. */
export const configuration = (
  spec: VmSpec,
  tap: { readonly device: string; readonly mac: string },
  version: string
): ReadonlyArray<ApiRequest> => {
  const all: ReadonlyArray<ApiRequest & { readonly since?: string }> = [
    { path: "/machine-config", body: { vcpu_count: spec.vcpu, mem_size_mib: spec.memoryMib } },
    { path: "/boot-source", body: { kernel_image_path: "kernel", initrd_path: "initrd", boot_args: BOOT_ARGS } },
    drive("rootfs", false),
    drive("work", false),
    drive("modules", true),
    {
      path: "/network-interfaces/eth0",
      body: { iface_id: "eth0", guest_mac: tap.mac, host_dev_name: tap.device }
    },
    { path: "/vsock", body: { guest_cid: 3, uds_path: "s/v.sock" } },
    { path: "/entropy", body: {} },
    // Bytes of the console beyond 1 MiB a second are dropped, so that a guest cannot fill the host with its log.
    { path: "/serial", since: "1.16.0", body: { rate_limiter: { size: 1 << 20, refill_time: 1000 } } }
  ]
  return all.filter(({ since }) => since === undefined || atLeast(version, since)).map(({ body, path }) => ({ path, body }))
}
