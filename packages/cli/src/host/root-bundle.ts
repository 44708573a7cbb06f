import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LocalFailure } from "../failure/errors.ts"
import { shellWord } from "../output/shell-word.ts"
import { attached } from "../session/ssh.ts"
import { withoutNodes } from "./environment.ts"
import { beside, INSTALL_RECORD, ownCommand, sudoCommand } from "./paths.ts"

const isRoot = () => process.getuid?.() === 0

/** The command line that was given, as it would be typed after sudo. */
const typed = (words: ReadonlyArray<string>) =>
  ["sudo", existsSync(INSTALL_RECORD) ? sudoCommand() : ownCommand(), ...words].map(shellWord).join(" ")

const asRoot = (words: ReadonlyArray<string>) =>
  isRoot() ? Effect.void : Effect.fail(new LocalFailure({ problem: `banger ${words.slice(0, 2).join(" ")} needs root`, fix: typed(words) }))

const found = Effect.suspend(() => {
  const bundle = beside("bangerd-root.mjs")
  return existsSync(bundle) ? Effect.succeed(bundle) : Effect.fail(new LocalFailure({ problem: `${bundle} is missing`, fix: "make build makes it" }))
})

/** Hands over to the root bundle, which stands beside ours and runs on the same node. */
export const rootBundle = (args: ReadonlyArray<string>) =>
  asRoot(["system", ...args]).pipe(
    Effect.zipRight(found),
    Effect.flatMap((bundle) => attached(process.execPath, [bundle, ...args], withoutNodes(process.env)))
  )

export const systemctl = (words: ReadonlyArray<string>, args: ReadonlyArray<string>, needsRoot: boolean) =>
  Effect.zipRight(needsRoot ? asRoot(words) : Effect.void, attached("systemctl", args))

const Failure = Schema.parseJson(Schema.Struct({ message: Schema.String, hint: Schema.String }))

/** More than the commands of one answer may take together. */
const PATIENCE_MS = 120_000

/** Asks the root bundle, which answers in JSON, and so are its failures. `words` are the command's own, of which the first names the group. */
export const askRoot = <A, I>(words: ReadonlyArray<string>, answer: Schema.Schema<A, I>): Effect.Effect<A, LocalFailure> =>
  Effect.gen(function*() {
    yield* asRoot(words)
    const bundle = yield* found
    const said = yield* Effect.async<string, LocalFailure>((resume) => {
      const child = execFile(process.execPath, [bundle, ...words.slice(1), "--json"], { env: withoutNodes(process.env), timeout: PATIENCE_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
        if (error === null) return resume(Effect.succeed(stdout))
        resume(Schema.decodeUnknown(Failure)(stderr).pipe(
          Effect.orElseSucceed(() => ({ message: stderr.trim().split("\n")[0] || error.message, hint: "" })),
          Effect.flatMap(({ hint, message }) => Effect.fail(new LocalFailure({ problem: message, fix: hint })))
        ))
      })
      return Effect.sync(() => void child.kill("SIGKILL"))
    })
    return yield* Effect.mapError(Schema.decodeUnknown(Schema.parseJson(answer))(said), () => new LocalFailure({ problem: "lib/bangerd-root.mjs is of another version", fix: "make build" }))
  })
