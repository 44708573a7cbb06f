import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Finding } from "@banger/domain/readiness.ts"
import { VERSION } from "@banger/domain/version.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { Daemon, withDaemon } from "../daemon/daemon.ts"
import { LocalFailure } from "../failure/errors.ts"
import { failureOf } from "../failure/failure.ts"

/** What a report must not tell: who and where its user is, and what the VMs are called. */
export interface Secrets {
  readonly home: string
  readonly user: string
  readonly host: string
  readonly vms: ReadonlyArray<string>
}

const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
const word = (text: string) => new RegExp(`(?<![\\w-])${literal(text)}(?![\\w-])`, "g")

/** Names become what they stand for; credentials in URLs and values that look like keys go. */
export const redacted = (text: string, { home, host, user, vms }: Secrets): string =>
  [
    ...(home.length > 1 ? [[home, "~"] as const] : []),
    // Longer names first, or a part of one would be replaced in it.
    ...vms.map((name, index) => [name, `vm-${index + 1}`] as const).toSorted(([a], [b]) => b.length - a.length),
    [user, "USER"] as const,
    [host, "HOST"] as const
  ]
    .filter(([name]) => name !== "")
    .reduce((rest, [name, stands]) => rest.replaceAll(word(name), stands), text)
    .replaceAll(/\/\/[^\s/@]+@/g, "//")
    .replaceAll(/\b([\w-]*(?:token|secret|password|key)[\w-]*\s*[=:]\s*)\S+/gi, "$1…")

/** Lines of the journal that are of use; its owner may not be allowed to read them. */
const JOURNAL_LINES = "200"

const said = (program: string, args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.async((resume) => {
    execFile(program, args, { maxBuffer: 4 << 20, timeout: 10_000 }, (error, stdout) => resume(Effect.succeed(error === null ? stdout : `not available: ${error.message}`)))
  })

const read = (path: string): Effect.Effect<string> =>
  Effect.promise(() => fs.readFile(path, "utf8").catch((error: unknown) => `not available: ${String(error)}`))

const json = (value: unknown) => JSON.stringify(value, undefined, 2)

/** What the daemon says, or why it does not: a report is wanted most when something does not work. */
const asked = <A, E extends { readonly message: string }>(ask: (daemon: typeof Daemon.Service) => Effect.Effect<A, E>) =>
  withDaemon(Effect.flatMap(Daemon, ask)).pipe(
    Effect.map((answer): string => json(answer)),
    Effect.catchAll((error) => Effect.succeed(`not available: ${failureOf(error).message}`))
  )

const section = (title: string, text: string) => `== ${title}\n${text.trimEnd()}\n\n`

/** Everything that helps to find a fault, in one text that can be shown to others. */
const compose = (found: ReadonlyArray<Finding>) =>
  Effect.gen(function*() {
    const vms = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.List())).pipe(Effect.orElseSucceed((): ReadonlyArray<VmView> => []))
    const parts = yield* Effect.all({
      status: asked((daemon) => daemon.host.Status()),
      leaks: asked((daemon) => daemon.host.Leaks()),
      system: read("/etc/os-release"),
      config: read(`${os.homedir()}/.config/banger/config.toml`),
      host: read("/etc/banger/host.toml"),
      units: said("systemctl", ["list-units", "--all", "--no-legend", "--plain", "banger*"]),
      journal: said("journalctl", ["--no-pager", "-o", "short-iso", "-n", JOURNAL_LINES, "-u", "bangerd", "-u", "bangerd-root"])
    }, { concurrency: "unbounded" })
    const text = [
      section("banger", `version ${VERSION}, node ${process.version}`),
      section("host", `${os.type()} ${os.release()} ${os.arch()}, ${os.availableParallelism()} CPUs, ${Math.round(os.totalmem() / 2 ** 20)} MiB\n${parts.system}`),
      section("doctor", json(found.map((finding) => Schema.encodeSync(Finding)(finding)))),
      section("left over", parts.leaks),
      section("daemon", parts.status),
      section("VMs", json(vms.map(({ createdAt, id, image, kernel, memoryMib, name, nat, reason, state, vcpu }) => ({ createdAt, id, image, kernel, memoryMib, name, nat, reason, state, vcpu })))),
      section("config.toml", parts.config),
      section("host.toml", parts.host),
      section("units", parts.units),
      section("journal", parts.journal)
    ].join("")
    return redacted(text, { home: os.homedir(), user: os.userInfo().username, host: os.hostname(), vms: vms.map(({ name }) => name) })
  })

/** Writes a new file that only its owner can read. */
export const report = (path: string, found: ReadonlyArray<Finding>) =>
  Effect.flatMap(compose(found), (text) =>
    Effect.tryPromise({
      try: () => fs.writeFile(path, text, { flag: "wx", mode: 0o600 }),
      catch: (error) => new LocalFailure({ problem: `cannot write ${path}: ${(error as Error).message}`, fix: "name a file that does not exist yet" })
    }))
