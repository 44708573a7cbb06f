import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { as } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { OWN_FAILURE } from "../../failure/exit.ts"
import { guestFlags, runInGuest, startOf } from "../../session/guest-command.ts"
import { running, vmName } from "./vm-ref.ts"

export default command({
  path: "vm exec",
  about: `Runs a command in a VM, over vsock: the guest needs no network and no sshd. Without one it is a shell.
The exit status is the command's own; 128+n when signal n ended it; 125 for a failure of banger's, 126 and 127 as in a shell.`,
  args: vmName(["running"]),
  rest: "[-- CMD...]",
  ownFailure: OWN_FAILURE,
  flags: Options.all({
    cwd: Options.text("cwd").pipe(Options.withPseudoName("DIR"), Options.withDescription("run it there (without it: the image's working directory, or the user's home)"), as(Values.text)),
    user: Options.text("user").pipe(Options.withPseudoName("USER"), Options.withDescription("run it as this user of the guest: USER[:GROUP], names or numbers (without it: root)"), as(Values.text)),
    ...guestFlags
  }),
  examples: [
    "banger vm exec sandbox -- make test",
    "banger vm exec sandbox --cwd /srv -e CI=1 -- ./build.sh",
    "while read -r x; do banger vm exec -n sandbox -- ./one \"$x\"; done <list",
    "tar c . | banger vm exec sandbox --cwd /tmp -- tar x"
  ],
  run: ({ args, flags, rest }) =>
    Effect.flatMap(running(args), (vm) =>
      runInGuest(vm, startOf(flags, vm, { argv: rest ?? [], cwd: flags.cwd ?? "", user: flags.user ?? "root" }), !flags.noStdin))
})
