/** What the daemon and the guests tell, put into the state as it comes. */
import { stripVTControlCharacters } from "node:util"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { openPorts } from "@banger/capabilities/vsock/agent-client.ts"
import { VmRef, type VmId } from "@banger/domain/ids.ts"
import type { VmUsage } from "@banger/domain/vm.ts"
import { Daemon, reach } from "../daemon/daemon.ts"
import { failureOf } from "../failure/failure.ts"
import { showFile } from "../output/log-file.ts"
import { cpuPercent } from "../output/usage.ts"
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
/** Between two attempts to reach a daemon that is away. */
const PAUSE = Schedule.union(Schedule.exponential("500 millis"), Schedule.spaced("10 seconds"))

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

const lines = (store: Store, id: VmId, part: "console" | "events") => (more: ReadonlyArray<string>) =>
  Effect.sync(() => store.set((state) => onPage(state, id, (page) => ({
    [part]: [...page[part], ...more].slice(-KEPT),
    // Who looks back goes on to see the same lines.
    ...(page.part === part && page.back > 0 && { back: page.back + more.length })
  }))))

/** The bytes of a log in whole lines, without colours: they would be those of another screen. */
const inLines = (take: (lines: ReadonlyArray<string>) => Effect.Effect<void>) => {
  let rest = ""
  return (bytes: string | Uint8Array) => Effect.suspend(() => {
    const [last = "", ...whole] = (rest + stripVTControlCharacters(Buffer.from(bytes).toString("utf8"))).split(/\r?\n/).toReversed()
    rest = last
    return whole.length === 0 ? Effect.void : take(whole.toReversed())
  })
}

/** Follows the VM whose page is shown. */
const page = (store: Store, id: VmId) =>
  Effect.gen(function*() {
    const daemon = yield* Daemon
    const vm = VmRef.make(id)
    const shown = Effect.flatMap(daemon.vm.Show({ vm }), (detail) => Effect.as(Effect.sync(() => store.set((state) => onPage(state, id, () => ({ detail })))), detail))
    const { consoleLog } = yield* shown
    const told = lines(store, id, "console")
    const console = showFile(consoleLog, { follow: Effect.never, tail: TAIL, to: { terminal: true, write: inLines(told) } }).pipe(
      Effect.catchAll((error) => told([error.message]))
    )
    const events = Stream.runForEach(daemon.vm.Events({ vm, follow: true }), (line) => lines(store, id, "events")([line]))
    // A start, or another size, makes the facts other ones.
    const facts = Stream.runForEach(Stream.drop(changesOf(store, ({ vms = [] }) => vms.find((vm) => vm.id === id)), 1), () => shown)
    yield* Effect.all([console, events, facts], { concurrency: "unbounded", discard: true })
  })

const pages = (store: Store) =>
  changesOf(store, (state) => state.page?.id).pipe(
    Stream.flatMap((id) => id === undefined ? Stream.never : Stream.execute(Effect.catchAll(reach(page(store, id)), (error) =>
      Effect.zipRight(Effect.sync(() => store.set((state) => onPage({ ...state, message: failureOf(error) }, id, () => ({})))), Effect.never))), { switch: true }),
    Stream.runDrain
  )

/** Tells all of it until the fiber ends. A daemon that is lost is told of, and asked again. */
export const news = (store: Store): Effect.Effect<never, never, Daemon> =>
  Effect.zipRight(
    Effect.all([reach(vms(store)), reach(figures(store)), pages(store)], { concurrency: "unbounded", discard: true }),
    Effect.never
  ).pipe(
    Effect.tapError((error) => Effect.sync(() => store.set((state) => ({ ...state, lost: failureOf(error) })))),
    Effect.retry(PAUSE),
    Effect.catchAll(() => Effect.never)
  )
