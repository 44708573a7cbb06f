import { existsSync, lstatSync } from "node:fs"
import { hostUptime } from "../host-facts.ts"
import { allocatedBytes } from "@banger/capabilities/files.ts"
import { consoleLog, cowFile, firecrackerLog, keptFirecrackerLog, vsockSocket, workFile } from "@banger/capabilities/paths.ts"
import type { VmId } from "@banger/domain/ids.ts"
import { address, mac, tapName } from "@banger/domain/network.ts"
import { VmDetail, type VmRecord, VmView } from "@banger/domain/vm.ts"

/** By the clock that goes on while the host sleeps and that nobody sets; by the other for a VM that an earlier version started. */
const uptimeOf = ({ startedAt, startedUptime, state }: VmRecord): number | null => {
  if ((state !== "running" && state !== "paused") || startedAt === null) return null
  return Math.max(0, startedUptime === null ? Date.now() - startedAt : hostUptime() - startedUptime)
}

/** A VM as clients see it. */
export const view = (record: VmRecord): VmView => {
  const { spec } = record
  return new VmView({
    id: spec.id,
    name: spec.name,
    state: record.state,
    reason: record.reason,
    image: spec.image.name,
    kernel: spec.kernel.name,
    vcpu: spec.vcpu,
    memoryMib: spec.memoryMib,
    diskMib: spec.diskMib,
    nat: spec.nat,
    address: address(spec.cidr, spec.slot),
    dns: `${spec.name}.vm`,
    createdAt: record.createdAt,
    startedAt: record.startedAt,
    uptimeMs: uptimeOf(record),
    ephemeral: record.ephemeral !== null,
    autostart: record.autostart,
    run: spec.run,
    vsock: vsockSocket(spec.id)
  })
}

/** The files of a VM's disks; fewer of one that is being made, or taken apart. */
export const diskFiles = (id: VmId) =>
  [cowFile(id), workFile(id)].flatMap((file) => {
    const stat = lstatSync(file, { throwIfNoEntry: false })
    return stat === undefined ? [] : [{ file, apparentBytes: stat.size, allocatedBytes: allocatedBytes(stat) }]
  })

export const detail = (record: VmRecord, pid: number | null): VmDetail => {
  const { spec } = record
  return new VmDetail({
    vm: view(record),
    imageDigest: spec.image.rootfs,
    kernelRelease: spec.kernel.release,
    mac: mac(spec.slot),
    tap: tapName(spec.slot),
    pid,
    consoleLog: consoleLog(spec.id),
    firecrackerLog: [firecrackerLog(spec.id), keptFirecrackerLog(spec.id)].find(existsSync) ?? firecrackerLog(spec.id),
    disks: diskFiles(spec.id)
  })
}
