import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { VmRef } from "@banger/domain/ids.ts"
import { command, one } from "../command.ts"
import { Daemon, withDaemon } from "../daemon.ts"
import * as Decode from "../decode.ts"
import * as Flags from "../flags.ts"
import { Misuse } from "../misuse.ts"
import { showFile } from "../output/log-file.ts"
import { print } from "../output/text.ts"
import { ref } from "../vm-ref.ts"

/** Milliseconds since 1970, given as a time of day in ISO form or as how long ago. */
const since: Flags.Decode<number> = (text) => {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Date.now() - Decode.duration(text)
  if (Number.isNaN(at)) throw new Error(`expected a time such as 10m or 2026-01-31T12:00, not ${JSON.stringify(text)}`)
  return at
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

const events = (vm: VmRef, flags: { readonly follow: boolean; readonly tail: number | undefined; readonly since: number | undefined }) =>
  Effect.flatMap(Daemon, (daemon) => {
    const all = (follow: boolean) => daemon.vm.Events({ vm, follow })
    const lines = flags.since === undefined ? all(flags.follow) : Stream.filter(all(flags.follow), isRecent(flags.since))
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
