import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { health, preload } from "@banger/capabilities/vsock/agent-client.ts"
import type { CreateVm } from "@banger/domain/api.ts"
import { StepFailed } from "@banger/domain/errors.ts"
import { VmRef } from "@banger/domain/ids.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { Daemon, reach } from "../daemon/daemon.ts"
import { failureOf } from "../failure/failure.ts"
import type { Live } from "../output/progress.ts"
import { say } from "../output/text.ts"
import { create as creating } from "./create-vm.ts"

/** How long the guest's agent may take to answer for the first time once the daemon says that it is there. */
const FIRST_CONNECTION = "30 seconds"
/** A throw-away VM that cannot be deleted in this time is left to the daemon, which deletes it once we are gone. */
const DELETION = "60 seconds"

const refOf = (vm: VmView) => VmRef.make(vm.id)

/** Tells the daemon at once when this process is gone; opened again when the daemon was restarted meanwhile. */
const hold = (vm: VmView) =>
  Effect.flatMap(Daemon, (daemon) => Stream.runDrain(daemon.vm.Hold({ vm: refOf(vm) }))).pipe(
    Effect.catchAllCause(() => Effect.void),
    Effect.repeat(Schedule.spaced("1 second"))
  )

const remove = (vm: VmView) =>
  Effect.flatMap(Daemon, (daemon) => Stream.runDrain(daemon.vm.Delete({ vm: refOf(vm), force: true }))).pipe(
    reach,
    // A daemon that is being restarted is back in a moment, and then perhaps has done it already.
    Effect.retry({ while: (error) => error._tag === "DaemonUnreachable", schedule: Schedule.spaced("500 millis"), times: 20 }),
    Effect.catchTag("VmNotFound", () => Effect.void),
    Effect.timeoutFail({ duration: DELETION, onTimeout: () => new Error("it takes too long") }),
    Effect.catchAll((error) => say(`${vm.name} is not deleted yet (${failureOf(error).message}): the daemon does it once this command has ended`))
  )

const answers = (vm: VmView) =>
  health(vm.vsock).pipe(
    Effect.retry(Schedule.spaced("200 millis")),
    Effect.timeout(FIRST_CONNECTION),
    Effect.mapError(() => new StepFailed({
      operation: `reach ${vm.name}`,
      problem: `its agent gave no answer within ${FIRST_CONNECTION}; the VM is kept`,
      fix: `banger vm logs ${vm.name} shows its console`
    }))
  )

/**
 * Creates the VM and hands it to `use` once its agent answers. An ephemeral one is deleted at the end, however that
 * comes; only one whose agent never answered is kept, so that somebody can look at it, and one that `use` keeps.
 */
export const withFreshVm = <A, E, R>(
  wanted: CreateVm,
  live: Live,
  verbose: boolean,
  use: (vm: VmView, keep: Effect.Effect<void>) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(Effect.gen(function*() {
    const daemon = yield* Daemon
    const ephemeral = wanted.ephemeral !== undefined
    let made: VmView | undefined
    let keep = false
    if (ephemeral) yield* Effect.addFinalizer(() => Effect.suspend(() => made === undefined || keep ? Effect.void : remove(made)))
    const create = Stream.runForEach(creating(wanted, verbose), (event) =>
      Effect.gen(function*() {
        live.event(event)
        if (event._tag === "Planned" && ephemeral) yield* Effect.forkScoped(hold(event.vm))
        if (event._tag === "Planned" || event._tag === "Finished") made = event.vm
      }))
    /** Makes a throw-away VM one that stays. */
    const keeping = Effect.suspend(() => {
      keep = true
      return made === undefined || !ephemeral ? Effect.void : Effect.ignore(daemon.vm.Keep({ vm: refOf(made) }))
    })
    const kept = <E2>(error: E2) => Effect.zipRight(keeping, Effect.fail(error))
    yield* Effect.forkScoped(preload)
    yield* create.pipe(
      Effect.onInterrupt(() => made === undefined || ephemeral ? Effect.void : say(`${made.name} is still being created: banger vm delete ${made.name} --force`)),
      // What the daemon itself left of it (a guest that is silent, something that could not be removed), it left with a reason.
      Effect.catchTag("StepFailed", kept)
    )
    const vm = made as VmView | undefined
    if (vm === undefined) return yield* new StepFailed({ operation: "create the VM", problem: "the daemon said nothing of it", fix: "banger doctor" })
    live.doing(() => "waiting for its agent")
    yield* Effect.catchTag(answers(vm), "StepFailed", kept)
    return yield* use(vm, keeping)
  }))
