import { existsSync } from "node:fs"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { withoutNodes } from "../../host/environment.ts"
import { beside } from "../../host/paths.ts"
import { coloured } from "../../output/style.ts"
import { canRedraw, columnsOf, rowsOf } from "../../output/terminal.ts"

/** MiB. What is drawn is garbage a moment later: with V8's own 16 a list of 200 VMs takes 330 MB, with 2 it takes 200. */
const YOUNG = "--max-semi-space-size=2"

export default command({
  path: "tui",
  about: `Shows all VMs on a screen of their own: state, processor time, memory, disk and open ports, as they change; and one VM's facts, console and events.
Keys start, stop, restart, delete and create VMs, connect by ssh and run commands; ? shows them all. Needs a terminal of 60 columns and 15 rows.`,
  args: Args.none,
  flags: Options.none,
  examples: ["banger tui"],
  run: () =>
    Effect.gen(function*() {
      if (process.stdin.isTTY !== true || !canRedraw(process.stdout)) {
        return yield* new LocalFailure({ problem: "banger tui needs a terminal, for its keys and for what it shows", fix: "banger vm list --json, or banger vm list --watch" })
      }
      const bundle = beside("tui.mjs")
      if (!existsSync(bundle)) return yield* new LocalFailure({ problem: `${bundle} is missing`, fix: "make build makes it" })
      // In this process's place: a program that draws a screen must be the one that the terminal's signals and the shell's kill reach.
      return process.execve!(process.execPath, [process.execPath, YOUNG, bundle], {
        ...withoutNodes(process.env),
        ...(!coloured(process.stdout) && { FORCE_COLOR: "0" }),
        // A serial line says nothing of its size, and would be asked for it at each frame.
        ...(!process.stdout.columns && { COLUMNS: String(columnsOf(process.stdout)), LINES: String(rowsOf(process.stdout)) })
      })
    })
})
