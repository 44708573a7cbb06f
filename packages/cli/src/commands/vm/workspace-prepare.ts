import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { AgentRefused, getFiles } from "@banger/capabilities/vsock/agent-client.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { directories, offering } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { verbose } from "../../command-line/options.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { live, wantsParts } from "../../output/progress.ts"
import { shellWord } from "../../output/shell-word.ts"
import { print } from "../../output/text.ts"
import { planRepository, repositoryFlags } from "../../run/repository-flags.ts"
import { sendAll } from "../../run/send-all.ts"
import { beginsIn, parts, planBeside, prepareSent, sizes, withFlag } from "../../run/sent.ts"
import { installTools } from "../../run/tooling.ts"
import { userConfig } from "../../run/user-config.ts"
import { mustFit } from "../../run/work-disk.ts"
import { running, tooOld, vmName } from "./vm-ref.ts"

/** Whether the guest has something at a path. Its content is asked for, and not read. */
const has = (vm: VmView, path: string) =>
  Effect.scoped(getFiles(vm.vsock, path)).pipe(
    Effect.as(true),
    Effect.catchIf((error) => error instanceof AgentRefused && error.status === 404, ({ message }) =>
      /no such request/.test(message) ? Effect.fail(tooOld(vm, "copy")) : Effect.succeed(false))
  )

/** Refuses where the VM has something at the path already, since that may be work. */
const mustBeFree = (vm: VmView, target: string) =>
  Effect.flatMap(has(vm, target), (taken) =>
    taken
      ? new LocalFailure({ problem: `${vm.name} has ${target} already`, fix: `banger vm exec ${vm.name} --cwd ${shellWord(target)} -- CMD goes on there; banger vm pull ${vm.name} takes its commits; banger vm exec ${vm.name} -- rm -rf ${shellWord(target)} makes way` })
      : Effect.void)

export default command({
  path: "vm workspace prepare",
  about: `Sends the repository at PATH into a VM that runs, to /root/<its name>: what vm run does before its command.
What the VM has there already is not touched: then nothing is sent.`,
  args: Args.all([vmName(["running"]), Args.text({ name: "PATH" }).pipe(offering(directories))]),
  flags: Options.all({ ...repositoryFlags, with: withFlag, verbose }),
  examples: ["banger vm workspace prepare sandbox ./repo && banger vm exec sandbox --cwd /root/repo -- make test"],
  run: ({ args: [name, path], flags }) =>
    Effect.gen(function*() {
      const main = yield* planRepository(path, flags, yield* userConfig)
      const sent = yield* planBeside(main, flags.with)
      const vm = yield* running(name)
      yield* mustFit(sizes(sent), vm.diskMib, (size) => `banger vm stop ${vm.name} && banger vm set --disk-size ${size} ${vm.name} && banger vm start ${vm.name}`)
      yield* Effect.forEach(parts(sent), ({ target }) => mustBeFree(vm, target), { discard: true })
      const ready = yield* prepareSent(sent)
      const progress = yield* live(`sending to ${vm.name}`, wantsParts(flags.verbose))
      yield* sendAll(vm, ready, progress)
      yield* installTools(vm.vsock, main)
      yield* print(`${beginsIn(sent)}\n`)
      return 0
    }).pipe(Effect.scoped)
})
