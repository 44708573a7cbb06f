import { isatty } from "node:tty"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { remind } from "../../session/reminder.ts"
import { ssh } from "../../session/ssh.ts"
import { running, vmName } from "./vm-ref.ts"

export default command({
  path: "vm ssh",
  about: `Opens an ssh session in a VM with banger's key; the guest's host key is pinned. An sshd that is still starting is waited for.
What stands after -- goes to ssh: options, or a command. Your own ssh configuration is not read. The exit status is ssh's.`,
  args: vmName(["running"]),
  rest: "[-- SSH-ARGS...]",
  flags: Options.none,
  examples: ["banger vm ssh sandbox", "banger vm ssh sandbox -- uname -a", "banger vm ssh sandbox -- -L 8080:localhost:80"],
  run: ({ args, rest }) =>
    Effect.gen(function*() {
      const vm = yield* running(args)
      const status = yield* ssh(vm, rest ?? [])
      if (isatty(0)) yield* remind(vm)
      return status
    })
})
