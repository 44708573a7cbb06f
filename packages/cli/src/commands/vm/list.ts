import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { VmView } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { fullScreen } from "../../output/full-screen.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { canRedraw } from "../../output/terminal.ts"
import { print, printJson } from "../../output/text.ts"
import { mib } from "../../output/units.ts"
import { stateText, uptime, VMS } from "../../output/vm.ts"

const row = (vm: VmView) =>
  [vm.name, stateText(vm), vm.image, String(vm.vcpu), mib(vm.memoryMib), vm.address, uptime(vm)]

const people = (vms: ReadonlyArray<VmView>) =>
  table({ heading: ["NAME", "STATE", "IMAGE", "VCPU", "MEMORY", "IP", "UPTIME"], rows: vms.map(row), cut: ["VCPU", "MEMORY", "UPTIME", "IMAGE", "STATE", "IP"] })

/** The same VM so many milliseconds later, when nothing else has changed. */
const later = (vm: VmView, ms: number) => vm.uptimeMs === null ? vm : new VmView({ ...vm, uptimeMs: vm.uptimeMs + ms })

/** Again when the daemon tells of a change; in between only the uptimes go on. */
const watched = (wanted: (vms: ReadonlyArray<VmView>) => ReadonlyArray<VmView>) =>
  Effect.scoped(Effect.gen(function*() {
    const show = yield* fullScreen
    const told = Stream.unwrap(Effect.map(Daemon, (daemon) => daemon.vm.Watch())).pipe(Stream.map((vms) => ({ vms, at: performance.now() })))
    // A pipe gets what changed, and no clock.
    const shown = canRedraw(process.stdout) ? Stream.map(Stream.zipLatest(told, Stream.tick("1 second")), ([list]) => list) : told
    yield* withDaemon(Stream.runForEach(shown, ({ at, vms }) => show(people(wanted(vms).map((vm) => later(vm, performance.now() - at))))))
    return 0
  }))

export default command({
  path: "vm list",
  about: "Lists the VMs that are not stopped; with --all, all of them.",
  args: Args.none,
  flags: Options.all({
    all: Options.boolean("all").pipe(Options.withAlias("a"), Options.withDescription("stopped ones too")),
    watch: Options.boolean("watch").pipe(Options.withAlias("w"), Options.withDescription("again at each change, until ^C")),
    quiet: Options.boolean("quiet").pipe(Options.withAlias("q"), Options.withDescription("ids only")),
    json
  }),
  json: VMS,
  examples: ["banger vm list", "banger vm list --all --json", "banger vm list --all --watch", "banger vm exec $(banger vm list -q | head -1) -- uptime"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      if (flags.watch && (flags.json || flags.quiet)) return yield* Effect.fail(new Misuse("--watch is for people to look at", "banger vm list --json asks once; banger vm wait NAME waits for a state"))
      const wanted = (all: ReadonlyArray<VmView>) => all.filter(({ state }) => flags.all || state !== "stopped").toSorted((a, b) => a.name < b.name ? -1 : 1)
      if (flags.watch) return yield* watched(wanted)
      const vms = wanted(yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.List())))
      if (flags.json) yield* printJson(VMS, vms)
      else if (flags.quiet) yield* print(vms.map(({ id }) => `${id}\n`).join(""))
      else yield* page(people(vms))
      return 0
    })
})
