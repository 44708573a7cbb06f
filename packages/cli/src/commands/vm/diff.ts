import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { shownOn } from "../../output/log-file.ts"
import { paged } from "../../output/pager.ts"
import { coloured } from "../../output/style.ts"
import { DIFF, inGuest } from "../../way-back/in-guest.ts"
import { openPlace, repositoryOf } from "./guest-place.ts"

/** A patch is one whatever the guest's own settings are. */
const PATCH = ["--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"]

export default command({
  path: "vm diff",
  about: `Shows what changed in a VM's repository since it was sent: its commits, what is not committed, and new files that git does not ignore.
NAME:DIR is one of several repositories. The guest's own git compares; what follows -- it is given as well.
Elsewhere than on a terminal the output is a whole patch, for git apply.`,
  args: repositoryOf,
  rest: "[-- ARGS...]",
  flags: Options.all({
    stat: Options.boolean("stat").pipe(Options.withDescription("only how much changed in which file"))
  }),
  examples: ["banger vm diff sandbox", "banger vm diff --stat sandbox", "banger vm diff sandbox -- --word-diff src", "banger vm diff sandbox | git apply --index"],
  run: ({ args, flags, rest }) =>
    Effect.gen(function*() {
      const place = yield* openPlace(args)
      const terminal = process.stdout.isTTY === true
      const how = [...(flags.stat ? ["--stat"] : terminal ? [] : PATCH), ...(rest ?? [])]
      yield* paged((write) => {
        const shown = shownOn(terminal)
        return inGuest(place, DIFF, [coloured(process.stdout) ? "always" : "never", ...how], (bytes) => write(shown(bytes)))
      })
      return 0
    })
})
