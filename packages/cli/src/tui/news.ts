/** What the daemon and the guests tell, put into the state as it comes. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { openPorts } from "@banger/capabilities/vsock/agent-client.ts"
import { VmRef, type VmId } from "@banger/domain/ids.ts"
import type { VmUsage } from "@banger/domain/vm.ts"
import { Daemon, reach } from "../daemon/daemon.ts"
import { LocalFailure } from "../failure/errors.ts"
import { failureOf } from "../failure/failure.ts"
import { showFile } from "../output/log-file.ts"
import { cpuPercent } from "../output/usage.ts"
import { inLines } from "./lines.ts"
import { type Figures, onPage, told } from "./model.ts"
import { changesOf, type Store } from "./store.ts"

/** Milliseconds between two looks at figures that nobody can tell of as they change. */
const EVERY = 2_000
/** How long a guest may take to tell its ports: less than until the next look. */
const PATIENCE = "1 second"
/** Lines of a log that are kept, the newest. */
const KEPT = 2_000
/** Lines of the console that are read of what was written before. */
const TAIL = 500
/** Between two attempts to reach a daemon that is away; of one that was there meanwhile from the beginning. */
const PAUSE = Schedule.union(Schedule.exponential("500 millis"), Schedule.spaced("10 seconds")).pipe(Schedule.resetAfter("30 seconds"))

const vms = (store: Store) =>
  Effect.flatMap(Daemon, (daemon) => Stream.runForEach(daemon.vm.Watch(), (list) => Effect.sync(() => store.set((state) => told(state, list, performance.now())))))

const portsOf = ({ vm }: VmUsage) =>
  vm.state !== "running" ? Effect.succeed(undefined) : openPorts(vm.vsock).pipe(
    Effect.map(({ ports }) => [...new Set(ports.filter(({ protocol }) => protocol === "tcp").map(({ port }) => port))].toSorted((one, other) => one - other)),
    Effect.timeout(PATIENCE),
    Effect.orElseSucceed(() => undefined)
  )

const figures = (store: Store) =>
  Effect.flatMap(Daemon, (daemon) =>
    Stream.runForEach(Stream.zipWithPrevious(daemon.vm.Usage({ vms: [], everyMs: EVERY })), ([before, now]) =>
      Effect.map(Effect.forEach(now, portsOf, { concurrency: "unbounded" }), (ports) => {
        const found = now.map((usage, at): [VmId, Figures] => [usage.vm.id, {
          cpuPercent: before._tag === "None" ? null : cpuPercent(before.value.find(({ vm }) => vm.id === usage.vm.id), usage),
          memoryBytes: usage.memoryBytes, diskBytes: usage.diskBytes, ports: ports[at]
        }])
        store.set((state) => ({ ...state, figures: new Map(found) }))
      })))

/** Adds lines to a log of the page; `rest` is what its last line has so far. */
const add = (store: Store, id: VmId, part: "console" | "events") => (more: ReadonlyArray<string>, rest = "") =>
  Effect.sync(() => store.set((state) => onPage(state, id, (page) => {
    const kept = [...page[part], ...more].slice(-KEPT)
    return {
      [part]: kept,
      ...(part === "console" && { rest }),
      // Who looks back goes on to see the same lines, as long as they are kept.
      ...(page.part === part && page.back > 0 && { back: Math.min(page.back + more.length, kept.length) })
    }
  })))

/** Follows the VM whose page is shown. */
const page = (store: Store, id: VmId) =>
  Effect.gen(function*() {
    const daemon = yield* Daemon
    const vm = VmRef.make(id)
    store.set((state) => onPage(state, id, () => ({ console: [], events: [], rest: "", back: 0 })))
    const show = Effect.tap(daemon.vm.Show({ vm }), (detail) => Effect.sync(() => store.set((state) => onPage(state, id, () => ({ detail })))))
    const { consoleLog } = yield* show
    // A start, or another size, makes the facts other ones, and the log of one that had none.
    const changed = Stream.drop(changesOf(store, ({ vms = [] }) => vms.find((vm) => vm.id === id)), 1)
    const console = Effect.suspend(() => showFile(consoleLog, { follow: Effect.never, tail: TAIL, to: { terminal: true, write: inLines(add(store, id, "console")) } })).pipe(
      Effect.catchAll((error) => Effect.zipRight(add(store, id, "console")([error.message]), Stream.runHead(changed))),
      Effect.forever
    )
    const events = Stream.runForEach(Stream.groupedWithin(daemon.vm.Events({ vm, follow: true }), KEPT, "50 millis"), (lines) => add(store, id, "events")([...lines]))
    yield* Effect.all([console, events, Stream.runForEach(changed, () => show)], { concurrency: "unbounded", discard: true })
  })

const pages = (store: Store) =>
  changesOf(store, (state) => state.page?.id).pipe(
    Stream.flatMap((id) => id === undefined ? Stream.never : Stream.execute(Effect.catchAll(reach(page(store, id)), (error) =>
      error._tag === "DaemonUnreachable" ? Effect.fail(error) : Effect.zipRight(Effect.sync(() => store.set((state) => ({ ...state, message: failureOf(error) }))), Effect.never))), { switch: true }),
    Stream.runDrain
  )

/** Begins a feed anew when it is lost, or ends, or has met what this version does not understand; says why meanwhile. */
const again = <E>(store: Store, feed: Effect.Effect<void, E, Daemon>) =>
  reach(feed).pipe(
    Effect.zipRight(Effect.fail(new LocalFailure({ problem: "the daemon went away", fix: "banger daemon status" }))),
    Effect.sandbox,
    Effect.tapError((cause) => Effect.sync(() => store.set((state) => ({ ...state, lost: failureOf(Cause.squash(cause)) })))),
    Effect.retry(PAUSE),
    Effect.ignore
  )

/** Tells all of it until the fiber ends. */
export const news = (store: Store): Effect.Effect<void, never, Daemon> =>
  Effect.all([again(store, vms(store)), again(store, figures(store)), again(store, pages(store))], { concurrency: "unbounded", discard: true })
