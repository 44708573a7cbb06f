import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { VmSpec } from "@banger/domain/vm.ts"
import { holding } from "../capability.ts"
import { RootDisk } from "../dm-snapshot/contract.ts"
import { GuestConfig } from "../guest-config/contract.ts"
import { Helper } from "../helper.ts"
import { removing } from "../lease.ts"
import { OpFailed } from "../op-failed.ts"
import { apiSocket, consoleLog, firecrackerLog, keptFirecrackerLog, unit } from "../paths.ts"
import { Tap } from "../tap-pool/contract.ts"
import { Vsock } from "../vsock/contract.ts"
import { WorkDisk } from "../work-disk/contract.ts"
import { checks } from "./check.ts"
import { consoleTail } from "./console.ts"
import { Firecracker, FirecrackerApi, GuestSilent, VmExits, VmmExited } from "./contract.ts"
import { guest } from "./guest.ts"
import { configuration, START } from "./machine.ts"

/** How long a guest may take until its agent reports. Alone under nested emulation it needs 15 s, five at once on a slow host over 90. */
const GUEST_SECONDS = 240

/** The VM's unit, with a Firecracker in it that has no VM yet. How an earlier run ended is forgotten from here on. */
const launch = (spec: VmSpec) =>
  Effect.gen(function*() {
    const [helper, api] = yield* Effect.all([Helper, FirecrackerApi])
    // Taken only to be sure that they stand before the VM that uses them.
    yield* Effect.all([RootDisk, WorkDisk, Vsock])
    yield* api.createLog(firecrackerLog(spec.id))
    const { initrd, modules, vmlinux } = spec.kernel
    return yield* helper.firecracker.Start({ vm: spec.id, slot: spec.slot, memoryMib: spec.memoryMib, vmlinux, initrd, modules })
  })

const boot = (spec: VmSpec) =>
  Effect.scoped(Effect.gen(function*() {
    const [api, tap, { ready }] = yield* Effect.all([FirecrackerApi, Tap, GuestConfig])
    const connection = yield* api.connect(apiSocket(spec.id))
    // Started in their order on the one connection, which keeps it.
    yield* Effect.forEach(configuration(spec, tap, connection.version), connection.put, { concurrency: "unbounded", discard: true })
    yield* connection.put(START)
    yield* ready.pipe(
      Effect.timeoutFail({ duration: `${GUEST_SECONDS} seconds`, onTimeout: () => new GuestSilent({ name: spec.name, seconds: GUEST_SECONDS }) })
    )
  }))

/** A VM that ends while it starts: its own reason is worth more than what a broken connection says. */
const endedEarly = (spec: VmSpec) =>
  Effect.gen(function*() {
    const [api, exits] = yield* Effect.all([FirecrackerApi, VmExits])
    const exit = yield* exits.await(spec.id)
    const fell = yield* api.tripleFault(firecrackerLog(spec.id))
    const reason = fell ? "KVM_EXIT_SHUTDOWN: a triple fault of the guest's kernel" : exit.reason
    return yield* new VmmExited({ name: spec.name, reason, console: yield* consoleTail(consoleLog(spec.id)) })
  })

const held = (spec: VmSpec) => ({
  what: "firecracker",
  find: Effect.flatMap(Helper, (helper) => helper.firecracker.Find({ vm: spec.id })).pipe(
    Effect.map((process) => process === null ? Option.none() : Option.some({ process }))
  ),
  create: Effect.flatMap(launch(spec), (process) =>
    Effect.raceFirst(
      boot(spec).pipe(
        // Its end reaches us as a broken connection first, and as an exit file a moment later.
        Effect.catchTag("FirecrackerFault", (fault) => Effect.timeoutFail(endedEarly(spec), { duration: "2 seconds", onTimeout: () => fault }))
      ),
      endedEarly(spec)
    ).pipe(Effect.as({ process }))),
  remove: Effect.zipLeft(
    removing("VM unit", Effect.flatMap(Helper, (helper) => helper.firecracker.Remove({ vm: spec.id }))),
    Effect.flatMap(FirecrackerApi, (api) => api.keepLog(firecrackerLog(spec.id), keptFirecrackerLog(spec.id)))
  )
})

const estate = {
  ensure: ({ id }: VmSpec) => Effect.flatMap(Helper, (helper) => helper.firecracker.EnsureLog({ vm: id })),
  remove: ({ id }: VmSpec) => removing("console log", Effect.flatMap(Helper, (helper) => helper.firecracker.RemoveLog({ vm: id })))
}

const objects = ({ id }: VmSpec) => [`unit ${unit(id)}`, `limits of ${unit(id)}`, `jail ${id}`]

/** A VM that runs by something else is not started a second time, nor given up: it is left alone. */
const absent = ({ name }: VmSpec) =>
  new OpFailed({ subject: "firecracker", problem: "this run was not begun by it", fix: `install the daemon that started ${name}, or banger vm stop ${name}` })

const vmm = holding({ name: "firecracker", provides: Firecracker, held, absent, objects, estate, guest, checks })

/** Beside the lease's one object an attachment: a console that nobody bounds while no daemon runs is bounded by the next one. */
export const firecracker = {
  ...vmm,
  layer: (spec: VmSpec) =>
    Layer.merge(
      vmm.layer(spec),
      Layer.scopedDiscard(Effect.flatMap(FirecrackerApi, (api) => api.boundConsole(consoleLog(spec.id))))
    )
}
