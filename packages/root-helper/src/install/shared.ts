import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

/** One file of an install for others to read. */
interface Shared {
  /** In the install's share/. */
  readonly from: string
  readonly to: string
  /** It is put there only where this directory stands: without its reader nobody needs it. */
  readonly where: string
}

/** Of the manual, one page of banger and one of each group. */
const PAGES = ["banger", "banger-vm", "banger-image", "banger-kernel", "banger-bundle", "banger-bench", "banger-config", "banger-daemon", "banger-system", "banger-internal"] as const

/**
 * bash-completion loads what lies in its own directory when the command is first completed; its older versions do not look below
 * /usr/local, and what lies in /etc/bash_completion.d is read at the start of each shell. fish, too, looks below /usr/local only
 * where it was built to. zsh does everywhere, and man by its configuration.
 */
export const SHARED: ReadonlyArray<Shared> = [
  { from: "completion/banger.bash", to: "/usr/share/bash-completion/completions/banger", where: "/usr/share/bash-completion/completions" },
  { from: "completion/_banger", to: "/usr/local/share/zsh/site-functions/_banger", where: "/usr/local/share/zsh/site-functions" },
  { from: "completion/banger.fish", to: "/usr/share/fish/vendor_completions.d/banger.fish", where: "/usr/share/fish/vendor_completions.d" },
  ...PAGES.map((page): Shared => ({ from: `man/man1/${page}.1`, to: `/usr/local/share/man/man1/${page}.1`, where: "/usr/local/share/man" }))
]

/** Where they are under a root directory: what uninstall removes. */
export const sharedFiles = (root: string): ReadonlyArray<string> => SHARED.map(({ to }) => path.join(root, to))

/**
 * Puts an install's files where shells and man look for them. A release that has none is older than they are; a place that
 * cannot be written, /usr of a distribution whose /usr is an image, is said and is no reason to be without banger.
 */
export const shared = (install: string, root: string) =>
  Effect.forEach(SHARED, ({ from, to, where }) => {
    const source = path.join(install, "share", from)
    const target = path.join(root, to)
    if (!existsSync(source) || !existsSync(path.join(root, where))) return Effect.void
    return file(target, async () => {
      await fs.mkdir(path.dirname(target), { recursive: true })
      return await fs.readFile(source, "utf8")
    }).pipe(
      Effect.flatMap((text) => writeWhole(target, text, 0o644)),
      Effect.catchAll(({ message }) => Console.error(`  left out: ${message}`))
    )
  }, { discard: true })
