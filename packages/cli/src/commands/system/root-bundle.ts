import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import { LocalFailure } from "../../failure/errors.ts"
import { withoutNodes } from "../../host/environment.ts"
import { beside, INSTALL_RECORD, ownCommand, sudoCommand } from "../../host/paths.ts"
import { attached } from "../../session/ssh.ts"
import { shellWord } from "../../output/shell-word.ts"

const isRoot = () => process.getuid?.() === 0

/** The command line that was given, as it would be typed after sudo. */
const typed = (words: ReadonlyArray<string>) =>
  ["sudo", existsSync(INSTALL_RECORD) ? sudoCommand() : ownCommand(), ...words].map(shellWord).join(" ")

const asRoot = (words: ReadonlyArray<string>) =>
  isRoot() ? Effect.void : Effect.fail(new LocalFailure({ problem: `banger ${words.slice(0, 2).join(" ")} needs root`, fix: typed(words) }))

/** Hands over to the root bundle, which stands beside ours and runs on the same node. */
export const rootBundle = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    yield* asRoot(["system", ...args])
    const bundle = beside("bangerd-root.mjs")
    if (!existsSync(bundle)) return yield* new LocalFailure({ problem: `${bundle} is missing`, fix: "make build makes it" })
    return yield* attached(process.execPath, [bundle, ...args], withoutNodes(process.env))
  })

export const systemctl = (words: ReadonlyArray<string>, args: ReadonlyArray<string>, needsRoot: boolean) =>
  Effect.zipRight(needsRoot ? asRoot(words) : Effect.void, attached("systemctl", args))
