import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { KernelName } from "@banger/domain/ids.ts"
import { kernels } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print } from "../../output/text.ts"
import { catalogName } from "../catalog-name.ts"

export default command({
  path: "kernel delete",
  about: "Deletes a kernel. Refused while something uses it. Files of yours stay.",
  args: catalogName(KernelName, kernels),
  flags: Options.none,
  examples: ["banger kernel delete host-6.1"],
  run: ({ args: name }) =>
    Effect.gen(function*() {
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.kernel.Delete({ name })))
      yield* print(`${name}: deleted\n`)
      return 0
    })
})
