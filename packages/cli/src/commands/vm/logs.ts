import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { VmRef } from "@banger/domain/ids.ts"
import { command, one } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import * as Decode from "../../command-line/values.ts"
import * as Flags from "../../command-line/flags.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { showFile } from "../../output/log-file.ts"
import { print } from "../../output/text.ts"
import { ref } from "./vm-ref.ts"

/** A time of day in ISO form, in milliseconds since 1970, or how long ago, which is the daemon's to tell: its host's clock may have been set. */
const since: Flags.Decode<{ readonly from: number } | { readonly withinMs: number }> = (text) => {
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return { withinMs: Decode.duration(text) }
  const from = Date.parse(text)
  if (Number.isNaN(from)) throw new Error(`expected a time such as 10m or 2026-01-31T12:00, not ${JSON.stringify(text)}`)
  return { from }
}

/** Events begin with their time; a line without one belongs to the event before it. */
const isRecent = (from: number) => {
  let recent = false
  return (line: string) => {
    const at = Date.parse(line.split(" ", 1)[0] ?? "")
    if (!Number.isNaN(at)) recent = at >= from
    return recent
  }
}

const events = (vm: VmRef, flags: { readonly follow: boolean; readonly tail: number | undefined; readonly since: ReturnType<typeof since> | undefined }) =>
  Effect.flatMap(Daemon, (daemon) => {
    const all = daemon.vm.Events({ vm, follow: flags.follow, ...(flags.since !== undefined && "withinMs" in flags.since && { withinMs: flags.since.withinMs }) })
    const lines = flags.since !== undefined && "from" in flags.since ? Stream.filter(all, isRecent(flags.since.from)) : all
    if (flags.tail === undefined || flags.follow) return Stream.runForEach(lines, (line) => print(`${line}\n`))
    return Effect.flatMap(Stream.runCollect(Stream.takeRight(lines, flags.tail)), (last) => print([...last].map((line) => `${line}\n`).join("")))
  })

export default command({
  path: "vm logs",
  about: "Prints a VM's serial console; or with --firecracker what Firecracker says, or with --daemon what the daemon did with the VM.",
  arguments: one("NAME"),
  flags: {
    follow: Flags.on("go on with what comes", "f"),
    tail: Flags.value("N", "only the last N lines", Decode.count, "n"),
    since: Flags.value("TIME", "with --daemon: only what is later, such as 10m or 2026-01-31T12:00", since),
    firecracker: Flags.on("Firecracker's own log"),
    daemon: Flags.on("the daemon's events about the VM")
  },
  examples: ["banger vm logs sandbox", "banger vm logs -f --tail 50 sandbox", "banger vm logs --daemon --since 1h sandbox"],
  run: ({ args, flags }) =>
    Effect.gen(function*() {
      const usage = "banger vm logs --help shows what it takes"
      if (flags.daemon && flags.firecracker) return yield* Effect.fail(new Misuse("give --daemon or --firecracker, not both", usage))
      if (flags.since !== undefined && !flags.daemon) return yield* Effect.fail(new Misuse("--since needs --daemon: consoles carry no times", usage))
      if (flags.daemon && flags.follow && flags.tail !== undefined) return yield* Effect.fail(new Misuse("with --daemon give --follow or --tail, not both", usage))
      const vm = yield* ref(args)
      if (flags.daemon) {
        yield* withDaemon(events(vm, flags))
        return 0
      }
      const detail = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.Show({ vm })))
      const follow = flags.follow ? Effect.never : undefined
      yield* showFile(flags.firecracker ? detail.firecrackerLog : detail.consoleLog, { follow, tail: flags.tail, to: process.stdout })
      return 0
    })
})
