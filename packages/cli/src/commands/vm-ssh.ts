import * as Effect from "effect/Effect"
import { command, one } from "../command.ts"
import { remind } from "../session/reminder.ts"
import { ssh } from "../session/ssh.ts"
import { running } from "../vm-ref.ts"

/** The VM runs already: its sshd needs no waiting for. */
const ATTEMPTS = 1

export default command({
  path: "vm ssh",
  about: `Opens an ssh session in a VM with banger's key; the guest's host key is pinned.
What stands after -- goes to ssh: options, or a command. The exit status is ssh's.`,
  arguments: one("NAME"),
  rest: "[-- SSH-ARGS...]",
  flags: {},
  examples: ["banger vm ssh sandbox", "banger vm ssh sandbox -- uname -a", "banger vm ssh sandbox -- -L 8080:localhost:80"],
  run: ({ args, rest }) =>
    Effect.gen(function*() {
      const vm = yield* running(args)
      const status = yield* ssh(vm, rest ?? [], ATTEMPTS)
      if (process.stdin.isTTY === true) yield* remind(vm)
      return status
    })
})
