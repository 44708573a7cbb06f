import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import type { CreateVm } from "@banger/domain/api.ts"
import { DEFAULT_DISK_MIB, type VmView } from "@banger/domain/vm.ts"
import { directories, offering } from "../../command-line/candidates.ts"
import { command, type Input } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, type ValuesOf, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { withDaemon } from "../../daemon/daemon.ts"
import { OWN_FAILURE, TIMED_OUT } from "../../failure/exit.ts"
import { page } from "../../output/pager.ts"
import { live, wantsParts } from "../../output/progress.ts"
import { printJson, say } from "../../output/text.ts"
import { dryRunJson, dryRunText, SENDING } from "../../run/dry-run.ts"
import { withFreshVm } from "../../run/fresh-vm.ts"
import { ownProcess } from "../../run/own-process.ts"
import { givenOf, planRepository, repositoryFlags } from "../../run/repository-flags.ts"
import { sendAll } from "../../run/send-all.ts"
import { beginsIn, directory, isRepository, planBeside, prepareSent, type Sent, sizes, withFlag } from "../../run/sent.ts"
import { installTools } from "../../run/tooling.ts"
import { userConfig } from "../../run/user-config.ts"
import { mustFit } from "../../run/work-disk.ts"
import { guestFlags, runInGuest, startOf } from "../../session/guest-command.ts"
import { remind } from "../../session/reminder.ts"
import { ownKey, remoteCommand, ssh, terminalOption } from "../../session/ssh.ts"
import { MAX_BYTES, ownBranch, pull, pulledLine } from "../../way-back/pull.ts"
import { unpulled } from "../../way-back/unpulled.ts"
import { openRepository } from "../../workspace/repository.ts"
import { planDirectory } from "../../workspace/directory.ts"
import type { Workspace } from "../../workspace/workspace.ts"
import { createFlags, createPayload } from "./create-flags.ts"

const flags = {
  rm: Options.boolean("rm").pipe(Options.withDescription("delete the VM at the end")),
  pull: Options.boolean("pull").pipe(Options.withDescription("with --rm: take the guest's commits into the branch banger/NAME first; if that fails the VM is kept")),
  ...createFlags,
  ...guestFlags,
  workdir: Options.text("workdir").pipe(Options.withPseudoName("DIR"), Options.withDescription("run the command there (without it: in the repository, or the image's working directory)"), as(Values.text)),
  ...repositoryFlags,
  copy: Options.text("copy").pipe(Options.withPseudoName("DIR[:NAME]"), Options.withDescription("in place of PATH: send a directory as it is, with all that is in it, to /root/NAME"), as(directory, directories)),
  with: withFlag,
  dryRun: Options.boolean("dry-run").pipe(Options.withDescription("list what would be sent, and create nothing")),
  ssh: Options.boolean("ssh").pipe(Options.withDescription("run the command over ssh")),
  verbose,
  json: Options.boolean("json").pipe(Options.withDescription("with --dry-run: print JSON"))
}
type Given = Input<ValuesOf<typeof flags>, string | undefined>

/** What the flags ask for must make sense together. */
const checkFlags = ({ args: path, flags }: Given) => {
  const misuse = (problem: string, fix: string) => Effect.fail(new Misuse(problem, fix))
  const ofRepository = givenOf(flags)
  if (path !== undefined && flags.copy !== undefined) return misuse(`the command begins either in the repository ${path} or in the directory ${flags.copy.from}`, `banger vm run ${path} --with ${flags.copy.from} sends both`)
  if (path === undefined && ofRepository !== undefined) return misuse(`${ofRepository} needs a PATH: it is about a repository`, "banger vm run --help shows where PATH stands; without a repository leave the flag out")
  if (flags.rm && flags.autostart === true) return misuse("a VM of --rm is deleted when its command ends: --autostart has no meaning", "banger vm run --autostart keeps the VM")
  if (flags.pull && (!flags.rm || path === undefined)) return misuse("--pull needs --rm and a PATH", "banger vm run --rm --pull ./repo -- CMD; banger vm pull NAME takes the work of a VM that stays")
  return Effect.void
}

const runCommand = (vm: VmView, { flags, rest }: Given, home: string) => {
  const cwd = flags.workdir === undefined || flags.workdir.startsWith("/") || home === "" ? flags.workdir ?? home : `${home}/${flags.workdir}`
  const start = startOf(flags, vm, { argv: rest ?? [], cwd, user: "root" })
  if (!flags.ssh) return runInGuest(vm, start, !flags.noStdin)
  const options = [terminalOption(start.tty !== null), ...(flags.noStdin ? ["-n"] : [])]
  const session = ssh(vm, [...options, "--", remoteCommand(start.argv, cwd, start.env)])
  return flags.timeout === undefined ? session : Effect.timeoutTo(session, {
    duration: flags.timeout, onSuccess: (status) => status, onTimeout: () => TIMED_OUT
  })
}

/** Before a throw-away VM goes: its commits are taken over, or told of. It is kept when there are more than HEAD's: of other branches, or of submodules. */
const takeBack = (vm: VmView, { target, top }: Workspace, wanted: boolean, kept: Effect.Effect<void>) => {
  if (!wanted) return Effect.flatMap(unpulled(vm), (found) => Effect.forEach(found, (what) => say(`${what}: deleted with it; --rm --pull takes them over first`), { discard: true }))
  return openRepository(top).pipe(
    Effect.flatMap((repository) => pull({ vm, directory: target }, repository, { branch: ownBranch(vm), workTree: true, limit: MAX_BYTES })),
    Effect.tap((pulled) => say(pulledLine(pulled))),
    Effect.zipWith(unpulled(vm), ({ repositories }, found) => [...repositories, ...found].length === 0 ? Effect.void : Effect.zipRight(kept, Effect.forEach(found, say, { discard: true }))),
    Effect.flatten
  )
}

const inFreshVm = (given: Given, sent: Sent) =>
  Effect.scoped(Effect.gen(function*() {
    const { flags } = given
    const { main } = sent
    const prepared = yield* prepareSent(sent)
    const progress = yield* live("creating a VM", wantsParts(flags.verbose))
    const wanted: CreateVm = { ...createPayload(flags), ...(flags.rm && { ephemeral: ownProcess() }) }
    return yield* withFreshVm(wanted, progress, flags.verbose, (vm, keep) =>
      Effect.gen(function*() {
        yield* sendAll(vm, prepared, progress)
        if (main !== undefined) yield* Effect.forkScoped(installTools(vm.vsock, main))
        progress.ready(vm.name)
        const kept = Effect.zipRight(keep, say(`${vm.name} is kept`))
        const ended = Effect.gen(function*() {
          const status = yield* runCommand(vm, given, beginsIn(sent))
          if (flags.rm && isRepository(main)) yield* takeBack(vm, main, flags.pull, kept)
          return status
        })
        // Be it that the command's end is not known, or that somebody ends the pull.
        return yield* flags.pull ? Effect.onError(ended, () => kept) : ended
      }).pipe(Effect.ensuring(flags.rm ? Effect.void : remind(vm))))
  }))

export default command({
  path: "vm run",
  about: `Creates a VM, sends the repository at PATH to /root/<its name>, and runs CMD there, or a shell.
Sent are the files that git tracks, as they are in the work tree, and .git with HEAD's history and tags: git says there what it says here.
A directory that is no repository is sent as it is by --copy, and more of either beside it by --with.
With none of them nothing is sent: CMD, or the shell, runs in a VM that has the image's files alone.
The exit status is the command's own; 128+n when signal n ended it; 125 for a failure of banger's, 126 and 127 as in a shell.`,
  args: Args.withDefault(Args.text({ name: "PATH" }).pipe(offering(directories)), undefined),
  rest: "[-- CMD...]",
  ownFailure: OWN_FAILURE,
  flags: Options.all(flags),
  json: SENDING,
  examples: [
    "banger vm run                            # a fresh VM, a shell in it",
    "banger vm run ./repo -- make test        # the repository, one command",
    "banger vm run --rm . -- ./script.sh      # this directory's repository; deleted when the command ends",
    "banger vm run --rm --pull . -- ./agent   # what it did is then in the branch banger/NAME",
    "banger vm run --copy ./data -- ls        # a directory that is no repository, as it is",
    "banger vm run ./repo --with ../lib       # and one beside it, at /root/lib",
    "banger vm run ./repo --dry-run           # what would be sent"
  ],
  run: (given: Given) =>
    Effect.gen(function*() {
      const { args: path, flags } = given
      yield* checkFlags(given)
      const config = path ?? flags.copy ?? flags.with[0] ? yield* userConfig : {}
      const main = path === undefined ? flags.copy && (yield* planDirectory(flags.copy)) : yield* planRepository(path, flags, config)
      const sent = yield* planBeside(main, flags.with)
      if (flags.dryRun) return yield* Effect.as(flags.json ? printJson(SENDING, dryRunJson(sent)) : page(dryRunText(sent)), 0)
      if (flags.ssh) yield* ownKey
      yield* mustFit(sizes(sent), flags.diskSize ?? config.vm_defaults?.disk_size ?? DEFAULT_DISK_MIB)
      return yield* withDaemon(inFreshVm(given, sent))
    }).pipe(Effect.scoped)
})
