import * as Options from "@effect/cli/Options"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { VmRef } from "@banger/domain/ids.ts"
import type { Progress } from "@banger/domain/progress.ts"
import type { VmState, VmView } from "@banger/domain/vm.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { FAILED } from "../../failure/exit.ts"
import { failureOf } from "../../failure/failure.ts"
import { type Live, live } from "../../output/progress.ts"
import { print, printJson, say } from "../../output/text.ts"
import { EVENTS } from "../../output/watch.ts"

export const all = Options.boolean("all").pipe(Options.withAlias("a"), Options.withDescription("every VM that this can be done to"))

type Client = typeof Daemon.Service

/** The VMs that are meant: those named, or with --all those in one of the states. */
export const chosen = (named: ReadonlyArray<VmRef>, everyone: boolean, states: ReadonlyArray<VmState> | undefined) =>
  Effect.gen(function*() {
    if (named.length === 0 && !everyone) return yield* Effect.fail(new Misuse("NAME is missing", "give names, or --all"))
    if (named.length > 0 && everyone) return yield* Effect.fail(new Misuse("give names or --all, not both", "banger vm list --all shows what there is"))
    if (!everyone) return named
    const vms: ReadonlyArray<VmView> = yield* Effect.flatMap(Daemon, (daemon) => daemon.vm.List())
    return vms.filter(({ state }) => states === undefined || states.includes(state)).map(({ name }) => VmRef.make(name))
  })

/** How an operation on VMs is watched. */
export interface Shown {
  /** What is done to them: `starting`. */
  readonly doing: string
  readonly json: boolean
  readonly verbose: boolean
}

/** One VM of those that an operation is for. */
export interface One {
  readonly vm: VmRef
  /** Watches what is done to it to the end: the line to print, or every event as JSON. */
  readonly watch: <E, R>(events: Stream.Stream<Progress, E, R>) => Effect.Effect<void, E, R>
}

const watching = (vm: VmRef, progress: Live | undefined): One["watch"] => (events) =>
  Stream.runForEach(events, (event) => {
    if (progress === undefined) return printJson(EVENTS, event)
    if (event._tag === "Finished") return print(`${progress.timed(event.message, process.stdout)}\n`)
    return Effect.sync(() => {
      if (event._tag === "Note") progress.note(`${vm}: ${event.message}`)
      if (event._tag === "Begun") progress.begun(`${vm}: ${event.step}`)
      if (event._tag === "Step") progress.phase(`${vm}: ${event.step}`, event.ms)
    })
  })

/**
 * Does something to several VMs at once, one line of result each. One VM's failure is an ordinary error; of several,
 * each failure is a line, the others are still done, and the status is 1.
 */
export const each = <E, R>(vms: ReadonlyArray<VmRef>, { doing, json, verbose }: Shown, act: (daemon: Client, one: One) => Effect.Effect<void, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const daemon = yield* Daemon
    const [only] = vms
    const progress = json || only === undefined ? undefined : yield* live(`${doing} ${vms.length === 1 ? only : `${vms.length} VMs`}`, verbose)
    const done = (vm: VmRef) => act(daemon, { vm, watch: watching(vm, progress) })
    if (only !== undefined && vms.length === 1) return yield* Effect.as(done(only), 0)
    const exits = yield* Effect.forEach(vms, (vm) =>
      Effect.tap(Effect.exit(done(vm)), (exit) =>
        Exit.isSuccess(exit) ? Effect.void : say(lineOf(vm, exit.cause))), { concurrency: "unbounded" })
    return exits.every(Exit.isSuccess) ? 0 : FAILED
  }))

const lineOf = (vm: VmRef, cause: Cause.Cause<unknown>): string => {
  const { hint, message } = failureOf(Option.getOrElse(Cause.failureOption(cause), () => Cause.squash(cause)))
  const named = message.includes(vm) ? message : `${vm}: ${message}`
  return hint === "" ? named : `${named} (${hint})`
}

/** The whole of a command that acts on several VMs. */
export const onMany = <E, R>(
  given: { readonly vms: ReadonlyArray<VmRef>; readonly all: boolean; readonly states: ReadonlyArray<VmState> | undefined },
  shown: Shown,
  act: (daemon: Client, one: One) => Effect.Effect<void, E, R>
) => withDaemon(Effect.flatMap(chosen(given.vms, given.all, given.states), (vms) => each(vms, shown, act)))
