import { statSync } from "node:fs"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { VmRef } from "@banger/domain/ids.ts"
import type { VmDetail } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { showFile } from "../../output/log-file.ts"
import { paged } from "../../output/pager.ts"
import { print, say, type Write } from "../../output/text.ts"
import { vmName } from "./vm-ref.ts"

/** A time of day in ISO form, in milliseconds since 1970, or how long ago, which is the daemon's to tell: its host's clock may have been set. */
const since = Values.written(Schema.Union(Schema.Struct({ from: Schema.Number }), Schema.Struct({ withinMs: Schema.Number })), (text) => {
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return { withinMs: Values.milliseconds(text) }
  const from = Date.parse(text)
  if (Number.isNaN(from)) throw new Error(`expected a time such as 10m or 2026-01-31T12:00, not ${JSON.stringify(text)}`)
  return { from }
})

/** Events begin with their time; a line without one belongs to the event before it. */
const isRecent = (from: number) => {
  let recent = false
  return (line: string) => {
    const at = Date.parse(line.split(" ", 1)[0] ?? "")
    if (!Number.isNaN(at)) recent = at >= from
    return recent
  }
}

/** Nobody should look for what was never written. */
const sayEmpty = ({ consoleLog, vm: { name } }: VmDetail) =>
  statSync(consoleLog, { throwIfNoEntry: false })?.size === 0
    ? say(`the console of ${name} is empty: its kernel says only what goes wrong; banger vm logs --daemon ${name} tells what was done with it`)
    : Effect.void

const events = (vm: VmRef, flags: { readonly follow: boolean; readonly tail: number | undefined; readonly since: typeof since.Type | undefined }, write: Write) =>
  Effect.flatMap(Daemon, (daemon) => {
    const all = daemon.vm.Events({ vm, follow: flags.follow, ...(flags.since !== undefined && "withinMs" in flags.since && { withinMs: flags.since.withinMs }) })
    const lines = flags.since !== undefined && "from" in flags.since ? Stream.filter(all, isRecent(flags.since.from)) : all
    if (flags.tail === undefined || flags.follow) return Stream.runForEach(lines, (line) => write(`${line}\n`))
    return Effect.flatMap(Stream.runCollect(Stream.takeRight(lines, flags.tail)), (last) => write([...last].map((line) => `${line}\n`).join("")))
  })

export default command({
  path: "vm logs",
  about: `Prints a VM's serial console; or with --firecracker what Firecracker says, or with --daemon what the daemon did with the VM.
Guests' kernels are quiet: on the console is what goes wrong, and what a guest writes to /dev/console.`,
  args: vmName(),
  flags: Options.all({
    follow: Options.boolean("follow").pipe(Options.withAlias("f"), Options.withDescription("go on with what comes")),
    tail: Options.text("tail").pipe(Options.withAlias("n"), Options.withPseudoName("N"), Options.withDescription("only the last N lines"), as(Values.count)),
    since: Options.text("since").pipe(Options.withPseudoName("TIME"), Options.withDescription("with --daemon: only what is later, such as 10m or 2026-01-31T12:00"), as(since)),
    firecracker: Options.boolean("firecracker").pipe(Options.withDescription("Firecracker's own log")),
    daemon: Options.boolean("daemon").pipe(Options.withDescription("the daemon's events about the VM"))
  }),
  examples: ["banger vm logs sandbox", "banger vm logs -f --tail 50 sandbox", "banger vm logs --daemon --since 1h sandbox"],
  run: ({ args: vm, flags }) =>
    Effect.gen(function*() {
      const usage = "banger vm logs --help shows what it takes"
      if (flags.daemon && flags.firecracker) return yield* Effect.fail(new Misuse("give --daemon or --firecracker, not both", usage))
      if (flags.since !== undefined && !flags.daemon) return yield* Effect.fail(new Misuse("--since needs --daemon: consoles carry no times", usage))
      if (flags.daemon && flags.follow && flags.tail !== undefined) return yield* Effect.fail(new Misuse("with --daemon give --follow or --tail, not both", usage))
      const shown = <E>(show: (write: Write) => Effect.Effect<void, E>) => Effect.as(flags.follow ? show(print) : paged(show), 0)
      if (flags.daemon) return yield* shown((write) => withDaemon(events(vm, flags, write)))
      const detail = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.Show({ vm })))
      if (!flags.firecracker) yield* sayEmpty(detail)
      const follow = flags.follow ? Effect.never : undefined
      return yield* shown((write) =>
        showFile(flags.firecracker ? detail.firecrackerLog : detail.consoleLog, { follow, tail: flags.tail, to: { terminal: process.stdout.isTTY === true, write } }))
    })
})
