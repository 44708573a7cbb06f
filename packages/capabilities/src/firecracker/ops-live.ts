import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { KillSignal } from "@banger/domain/api.ts"
import type { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import { vmUid } from "@banger/domain/network.ts"
import { dmDevices } from "../dm-snapshot/devices.ts"
import { run } from "../exec.ts"
import { file, removeFile, writeWhole } from "../files.ts"
import { HostSettings } from "../host-settings.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { cgroup, consoleLog, dmName, estate, exitFile, jail, jailRoot, stored, unit, unitEnvironment, workFile } from "../paths.ts"
import { changeableByOthers, ownership } from "../tool.ts"
import { confirmLimits, removeLimits, writeLimits } from "./drop-in.ts"
import { joinedInitrd } from "./initrd.ts"
import { jailsMount, kvm, machine } from "./machine-facts.ts"
import { unfit } from "./mounts.ts"
import { FirecrackerOps } from "./ops.ts"
import { processIn } from "./process.ts"
import { programFacts } from "./program.ts"

interface Start {
  readonly vm: VmId
  readonly slot: Slot
  readonly memoryMib: number
  readonly vmlinux: Digest
  readonly initrd: Digest
  readonly modules: Digest
}

/** The jail's files: links to what VMs share, and the VM's own disk. `s` is where the unit mounts the VM's socket directory. Then what the unit takes from its VM. */
const furnish = ({ initrd, memoryMib, modules, slot, vm, vmlinux }: Start) =>
  Effect.gen(function*() {
    const joined = yield* joinedInitrd(initrd)
    const root = jailRoot(vm)
    const uid = vmUid(slot)
    yield* file(root, async () => {
      await fs.mkdir(`${root}/s`, { recursive: true, mode: 0o711 })
      await Promise.all([
        fs.link(stored(vmlinux), `${root}/kernel`),
        fs.link(joined, `${root}/initrd`),
        fs.link(stored(modules), `${root}/modules`),
        fs.link(workFile(vm), `${root}/work`)
      ])
    })
    yield* writeWhole(unitEnvironment(vm), `VM_UID=${uid}\n`, 0o600)
    yield* writeLimits(vm, memoryMib)
  })

/** A node of the VM's dm device in its jail. Firecracker opens it when it is configured, not when it starts. */
const nodeOfRoot = ({ slot, vm }: Start) =>
  Effect.gen(function*() {
    const device = dmDevices().get(dmName(vm))?.number
    if (device === undefined) return yield* new OpFailed({ subject: "jail", problem: `dm device ${dmName(vm)} is missing`, fix: "start the VM again" })
    const node = `${jailRoot(vm)}/rootfs`
    yield* run(["mknod", "-m", "0600", node, "b", ...device.split(":")])
    // The jailer is giving this directory to the VM's uid just now: nothing in it is followed.
    yield* file(node, () => fs.lchown(node, vmUid(slot), vmUid(slot)))
  })

/** Root starts the jailer, and the jailer Firecracker: what of either others could change. */
const changeablePart = Effect.map(HostSettings, ({ firecracker, jailer }) => changeableByOthers(firecracker) ?? changeableByOthers(jailer))

const refuseChangeable = Effect.gen(function*() {
  const place = yield* changeablePart
  if (place !== null) return yield* new OpFailed({ subject: "Firecracker", problem: `others than root can change ${place}`, fix: ownership(place) })
})

/** Without this the jailer ends with a status, and nothing says why. */
const refuseUnfitJails = Effect.gen(function*() {
  const problem = unfit(jailsMount())
  if (problem !== null) return yield* new OpFailed({ subject: "jail", problem: problem.problem, fix: problem.fix })
})

const start = (request: Start) =>
  Effect.gen(function*() {
    const running = processIn(cgroup(request.vm))
    if (running !== null) return running
    yield* refuseChangeable
    yield* refuseUnfitJails
    // A run that was not cleaned up: its jail is made before its unit is started.
    if (existsSync(jail(request.vm))) yield* remove(request.vm)
    // How the last run ended stays until here: a daemon that dies in a clean-up leaves it to the next one to read.
    yield* file(exitFile(request.vm), () => fs.rm(exitFile(request.vm), { force: true }))
    yield* furnish(request)
    yield* Effect.all([nodeOfRoot(request), run(["systemctl", "start", unit(request.vm)])], { concurrency: 2 })
    const process = processIn(cgroup(request.vm))
    if (process !== null) return yield* Effect.as(confirmLimits(request.vm, request.memoryMib), process)
    const said = existsSync(exitFile(request.vm)) ? yield* file(exitFile(request.vm), () => fs.readFile(exitFile(request.vm), "utf8")) : ""
    return yield* new OpFailed({
      subject: "VM unit",
      problem: `Firecracker ended at once${said === "" ? "" : ` (${said.trim()})`}`,
      fix: `journalctl -u ${unit(request.vm)}; banger doctor checks Firecracker and KVM`
    })
  }).pipe(Effect.mapError(opFailed("VM unit", `journalctl -u ${unit(request.vm)} says more`)))

/** `systemctl stop` returns when the unit's cgroup is empty; SIGKILL first, since a guest had its chance before. The jail goes last: while it stands there may be more. */
const remove = (vm: VmId) =>
  Effect.gen(function*() {
    if (processIn(cgroup(vm)) !== null) yield* Effect.ignoreLogged(run(["systemctl", "kill", "--signal=KILL", unit(vm)]))
    yield* run(["systemctl", "stop", unit(vm)])
    yield* removeLimits(vm)
    yield* run(["rm", "-rf", "--one-file-system", "--", jail(vm)])
  }).pipe(Effect.mapError(opFailed("VM unit")))

const kill = (vm: VmId, signal: KillSignal) =>
  run(["systemctl", "kill", "--kill-who=main", `--signal=${signal}`, unit(vm)]).pipe(Effect.asVoid, Effect.mapError(opFailed("VM unit")))

/** The owner's, so that the daemon can show and shorten it; systemd opens it for appending. */
const ensureLog = (vm: VmId) =>
  Effect.gen(function*() {
    const { owner } = yield* HostSettings
    yield* file(consoleLog(vm), async () => {
      await fs.mkdir(estate(vm), { recursive: true, mode: 0o711 })
      const handle = await fs.open(consoleLog(vm), "a", 0o600)
      await handle.chown(owner.uid, owner.gid)
      await handle.close()
    })
  }).pipe(Effect.mapError(opFailed("console log")))

const removeLog = (vm: VmId) =>
  Effect.zipRight(
    removeFile(estate(vm), [consoleLog(vm), unitEnvironment(vm)]),
    file(exitFile(vm), () => fs.rm(exitFile(vm), { force: true }))
  ).pipe(Effect.mapError(opFailed("console log")))

/** What a doctor asks of the host before and after an install. */
export const facts = { program: Effect.flatMap(HostSettings, programFacts), machine, kvm }

export const handlers = FirecrackerOps.toLayer({
  "firecracker.Find": ({ vm }) => Effect.sync(() => processIn(cgroup(vm))),
  "firecracker.Start": start,
  "firecracker.Kill": ({ signal, vm }) => kill(vm, signal),
  "firecracker.Remove": ({ vm }) => remove(vm),
  "firecracker.EnsureLog": ({ vm }) => ensureLog(vm),
  "firecracker.RemoveLog": ({ vm }) => removeLog(vm),
  "firecracker.Facts": () => facts.program,
  "firecracker.MachineFacts": () => machine,
  "firecracker.KvmFacts": () => kvm
})
