import * as fs from "node:fs"
import * as path from "node:path"
import { pipeline } from "node:stream/promises"
import { PassThrough, type Readable } from "node:stream"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentRefused, getFiles, putCopy, putFiles, Unpacked } from "@banger/capabilities/vsock/agent-client.ts"
import { about } from "@banger/domain/about.ts"
import { size } from "@banger/domain/size.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { offering, places } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { one } from "../../command-line/json.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { json } from "../../command-line/options.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { hostReserve } from "../../host/host-config.ts"
import { intoProgram } from "../../host/into-program.ts"
import { moving } from "../../output/progress.ts"
import { print, printJson } from "../../output/text.ts"
import { tellPauses } from "../../session/pauses.ts"
import { sending, tar } from "../../workspace/tar.ts"
import { type InGuest, placeOf } from "./copy-place.ts"
import { running, tooOld } from "./vm-ref.ts"

const COPIED = one("copy", Schema.Struct({
  files: Schema.Int.pipe(about("all that was copied but directories")),
  bytes: Schema.Number.pipe(about("of files"))
}))
const decoded = Schema.decode(Schema.parseJson(Unpacked))

type Told = (bytes: number) => void

/** A refusal of the agent's is a failure of this copy, in the agent's words. */
const heard = (vm: VmView, guest: string) => <A, E, R>(copy: Effect.Effect<A, E | AgentRefused, R>) =>
  Effect.mapError(copy, (error) => {
    if (!(error instanceof AgentRefused)) return error
    return error.status === 404 && error.problem.startsWith("no such request")
      ? tooOld(vm, "copy")
      : new LocalFailure({ problem: `${vm.name}:${guest}: ${error.problem}`, fix: `banger vm exec ${vm.name} -- ls -la ${path.dirname(guest)}` })
  })

/** The same stream; `told` gets the number of bytes of each piece. */
const counted = (stream: Readable, told: Told): Readable => {
  const out = new PassThrough()
  stream.on("data", ({ length }: Buffer) => told(length))
  return stream.on("error", (error) => out.destroy(error)).pipe(out)
}

const into = (vm: VmView, source: string, guest: string, told: Told) =>
  Effect.scoped(Effect.gen(function*() {
    const whole = path.resolve(source)
    const stat = yield* Effect.try({ try: () => fs.lstatSync(whole), catch: () => new LocalFailure({ problem: `there is no ${source}`, fix: `ls -ld ${source}` }) })
    if (source.endsWith("/") && !stat.isDirectory()) return yield* new LocalFailure({ problem: `${source} is no directory`, fix: `ls -ld ${source}` })
    if (whole === "/") return yield* new LocalFailure({ problem: "the whole host is not copied", fix: "name a directory" })
    const archive = yield* tar(path.dirname(whole), "whole")
    return yield* sending(() => archive([Buffer.from(path.basename(whole))], told), (words) => new LocalFailure({ problem: `cannot read ${source}: ${words}`, fix: `ls -ld ${source}` }), (archive) => heard(vm, guest)(putCopy(vm.vsock, guest, archive)))
  }))

const outOf = (vm: VmView, guest: string, target: string, told: Told) =>
  Effect.scoped(Effect.gen(function*() {
    const reserve = yield* hostReserve
    const archive = yield* getFiles(vm.vsock, guest)
    return yield* intoProgram("banger-copy", [...reserve, "--", target], counted(archive, told)).pipe(
      Effect.flatMap(decoded),
      Effect.mapError(({ message }) => new LocalFailure({ problem: `cannot copy to ${target}: ${message}`, fix: `ls -ld ${target}; df -h ${path.dirname(target)}` }))
    )
  })).pipe(heard(vm, guest))

/** The archive itself, into this command's output or from its input. */
const stream = (vm: VmView, guest: string) =>
  Effect.scoped(Effect.gen(function*() {
    const archive = yield* getFiles(vm.vsock, guest)
    yield* Effect.tryPromise({ try: () => pipeline(archive, process.stdout, { end: false }), catch: (error) => new LocalFailure({ problem: `the archive of ${guest} broke off: ${error}`, fix: "" }) })
  })).pipe(heard(vm, guest))

const fromStream = (vm: VmView, guest: string, told: Told) =>
  heard(vm, guest)(putFiles(vm.vsock, guest, counted(process.stdin, told)))

const opened = ({ vm }: InGuest) => Effect.tap(running(vm), (view) => Effect.forkScoped(Effect.disconnect(tellPauses(view, false))))

export default command({
  path: "vm cp",
  about: `Copies a file or a directory, with all that is in it, into a VM or out of it. NAME:PATH is a path in a VM; one that does not begin with / is
below /root. As with cp: into a directory that is there, else in the place of the last name, whose directory must be there. Links stay
links, modes stay; owners become root in the VM, and you on the host, where nothing but DST is written to, whatever the guest sends.
- is a tar archive: of standard input into a directory of a VM, or to standard output.`,
  args: Args.text({ name: "SRC DST" }).pipe(Args.between(2, 2), offering(places)),
  flags: Options.all({ json }),
  json: COPIED,
  examples: [
    "banger vm cp ./app.tar.gz sandbox:/srv/",
    "banger vm cp sandbox:repo/dist ./dist",
    "banger vm cp sandbox:/var/log - | tar -t"
  ],
  run: ({ args: [source = "", target = ""], flags }) =>
    Effect.scoped(Effect.gen(function*() {
      const [from, to] = yield* Effect.all([placeOf(source), placeOf(target)])
      const copied = yield* Effect.gen(function*() {
        if (from._tag === "InGuest" && to._tag === "Stream") {
          if (process.stdout.isTTY === true) return yield* Effect.fail(new Misuse("an archive is not for a terminal", `banger vm cp ${source} - >FILE.tar`))
          return yield* Effect.as(Effect.flatMap(opened(from), (vm) => stream(vm, from.path)), undefined)
        }
        const head = `copying ${source} to ${target}`
        const move = <A, E, R>(work: (told: Told) => Effect.Effect<A, E, R>) => moving(head, (told) => {
          let done = 0
          return work((bytes) => told(done += bytes, 0))
        })
        if (from._tag === "InGuest" && to._tag === "OnHost") return yield* Effect.flatMap(opened(from), (vm) => move((told) => outOf(vm, from.path, to.path, told)))
        if (from._tag === "OnHost" && to._tag === "InGuest") return yield* Effect.flatMap(opened(to), (vm) => move((told) => into(vm, from.path, to.path, told)))
        if (from._tag === "Stream" && to._tag === "InGuest") return yield* Effect.flatMap(opened(to), (vm) => move((told) => fromStream(vm, to.path, told)))
        return yield* Effect.fail(new Misuse("one of SRC and DST must be in a VM, and the other here", "banger vm cp FILE NAME:PATH, or banger vm cp NAME:PATH FILE"))
      })
      if (copied !== undefined) yield* flags.json ? printJson(COPIED, copied) : print(`${copied.files === 1 ? "1 file" : `${copied.files} files`}, ${size(copied.bytes)}\n`)
      return 0
    }))
})
