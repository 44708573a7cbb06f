import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { guestMemory } from "@banger/capabilities/vsock/agent-client.ts"
import { size } from "@banger/domain/size.ts"
import { about } from "@banger/domain/about.ts"
import { VmName } from "@banger/domain/ids.ts"
import { VmState, type VmUsage } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { lines } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { fullScreen } from "../../output/full-screen.ts"
import { table } from "../../output/table.ts"
import { print, printJson } from "../../output/text.ts"
import { mib } from "../../output/units.ts"
import { cpuPercent } from "../../output/usage.ts"
import { vmNames } from "./vm-ref.ts"

const Stats = Schema.Struct({
  name: VmName,
  state: VmState,
  vcpu: Schema.Int,
  cpuPercent: Schema.NullOr(Schema.Number.pipe(about("of one processor: up to 100 for each vCPU, and a little for Firecracker itself; null: it does not run"))),
  memoryMib: Schema.Int.pipe(about("MiB that it may take")),
  memoryBytes: Schema.NullOr(Schema.Number.pipe(about("bytes of the host's memory, Firecracker's own among them"))),
  guestUsedBytes: Schema.NullOr(Schema.Number.pipe(about("bytes that its programs use, by its own word; null: its agent does not answer"))),
  guestTotalBytes: Schema.NullOr(Schema.Number.pipe(about("bytes of memory that its kernel has"))),
  diskBytes: Schema.Number.pipe(about("bytes that its disks take on the host's")),
  receivedBytes: Schema.NullOr(Schema.Number.pipe(about("bytes over its network since it started"))),
  sentBytes: Schema.NullOr(Schema.Number)
})
type Stats = typeof Stats.Type
const STATS = lines("figures of a VM", Stats)

/** Milliseconds between two looks: of a processor's time only a difference says anything. */
const ONCE = 1000
const WATCHED = 2000

/** How long an agent may take, so that one guest that hangs does not hold up the others' figures: less where the next ones are due. */
const PATIENCE = { once: "5 seconds", watched: "1 second" } as const
type Patience = typeof PATIENCE[keyof typeof PATIENCE]

const guests = (usages: ReadonlyArray<VmUsage>, patience: Patience) =>
  Effect.forEach(usages, ({ vm }) =>
    vm.state === "running" ? Effect.option(Effect.timeout(guestMemory(vm.vsock), patience)) : Effect.succeedNone, { concurrency: "unbounded" })

const statsOf = (before: ReadonlyArray<VmUsage>, now: ReadonlyArray<VmUsage>, patience: Patience): Effect.Effect<ReadonlyArray<Stats>> =>
  Effect.map(guests(now, patience), (memories) =>
    now.map((usage, at): Stats => {
      const guest = Option.getOrUndefined(memories[at] ?? Option.none())
      return {
        name: usage.vm.name,
        state: usage.vm.state,
        vcpu: usage.vm.vcpu,
        cpuPercent: cpuPercent(before.find(({ vm }) => vm.id === usage.vm.id), usage),
        memoryMib: usage.vm.memoryMib,
        memoryBytes: usage.memoryBytes,
        guestUsedBytes: guest === undefined ? null : (guest.totalKiB - guest.availableKiB) * 1024,
        guestTotalBytes: guest === undefined ? null : guest.totalKiB * 1024,
        diskBytes: usage.diskBytes,
        receivedBytes: usage.receivedBytes,
        sentBytes: usage.sentBytes
      }
    }))

const bytes = (value: number | null) => value === null ? "-" : size(value)

const people = (stats: ReadonlyArray<Stats>) =>
  table({
    heading: ["NAME", "CPU", "MEMORY", "IN THE GUEST", "DISK", "RECEIVED", "SENT"],
    rows: stats.map((vm) => [
      vm.name,
      vm.cpuPercent === null ? "-" : `${vm.cpuPercent.toFixed(1)}%`,
      vm.memoryBytes === null ? "-" : `${size(vm.memoryBytes)} of ${mib(vm.memoryMib)}`,
      vm.guestUsedBytes === null || vm.guestTotalBytes === null ? "-" : `${size(vm.guestUsedBytes)} of ${size(vm.guestTotalBytes)}`,
      size(vm.diskBytes), bytes(vm.receivedBytes), bytes(vm.sentBytes)
    ]),
    cut: ["SENT", "RECEIVED", "IN THE GUEST", "DISK"]
  })

export default command({
  path: "vm stats",
  about: `What VMs take of this host: processor time in percent of one processor, resident memory, room on the disk, and what went over the network
since their start; beside it the memory in use as the guest sees it. Without names: of every VM that runs. All but the guest's own word is the host's count.`,
  args: vmNames(["running", "paused"]),
  flags: Options.all({ watch: Options.boolean("watch").pipe(Options.withAlias("w"), Options.withDescription("again every two seconds, until ^C")), json }),
  json: STATS,
  examples: ["banger vm stats", "banger vm stats --watch sandbox", "banger vm stats --json | jq -r '[.name, .cpuPercent] | @tsv'"],
  run: ({ args: vms, flags: { json, watch } }) =>
    Effect.scoped(Effect.gen(function*() {
      const show = watch && !json ? yield* fullScreen : print
      const looks = Stream.unwrap(Effect.map(Daemon, (daemon) => daemon.vm.Usage({ vms, everyMs: watch ? WATCHED : ONCE })))
      const pairs = Stream.zipWithPrevious(looks).pipe(Stream.filterMap(([before, now]) => Option.map(before, (seen) => [seen, now] as const)))
      yield* withDaemon(Stream.runForEach(watch ? pairs : Stream.take(pairs, 1), ([before, now]) =>
        Effect.flatMap(statsOf(before, now, watch ? PATIENCE.watched : PATIENCE.once), (stats) => json ? Effect.forEach(stats, (vm) => printJson(STATS, vm), { discard: true }) : show(people(stats)))))
      return 0
    }))
})
