import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants, homedir } from "node:os"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { sshServer } from "@banger/capabilities/vsock/agent-client.ts"
import { sshKeyOf, type UserConfig } from "@banger/domain/config.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { KNOWN_HOSTS } from "../host/paths.ts"
import { onSignals } from "../host/signals.ts"
import { userConfig, userConfigPath } from "../run/user-config.ts"
import { tellPauses } from "./pauses.ts"

/** How long an sshd may take that is still coming up. Seconds. */
const PATIENCE = 60

/** ssh's flags that take a value. */
const WITH_VALUE = "BbcDEeFIiJLlmOoPpQRSWw"

export interface SshWords {
  readonly options: ReadonlyArray<string>
  readonly command: ReadonlyArray<string>
}

/** Tells ssh's own options from the command behind them, as ssh would. */
export const sshWords = (words: ReadonlyArray<string>): SshWords => {
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at] ?? ""
    if (word === "--") return { options: words.slice(0, at), command: words.slice(at + 1) }
    if (word === "-" || !word.startsWith("-")) break
    const valued = [...word].findIndex((letter, index) => index > 0 && WITH_VALUE.includes(letter))
    if (valued === word.length - 1) at++
  }
  return { options: words.slice(0, at), command: words.slice(at) }
}

/**
 * The first value of a setting is the one that ssh takes, so what the user says here wins over banger's. Nothing of the
 * user's or the host's configuration is read: it is about other hosts, and a ControlPath, a ProxyJump or a RemoteCommand of
 * `Host *` would lead elsewhere than to this VM.
 */
export const sshArguments = (vm: Pick<VmView, "name" | "address">, key: string, { command, options }: SshWords, attempts: number): ReadonlyArray<string> => [
  "-F", "none",
  ...options,
  "-i", key,
  "-o", "IdentitiesOnly=yes",
  "-o", `UserKnownHostsFile=${KNOWN_HOSTS}`,
  "-o", "GlobalKnownHostsFile=/dev/null",
  "-o", "StrictHostKeyChecking=yes",
  "-o", `HostKeyAlias=${vm.name}.vm`,
  "-o", "CheckHostIP=no",
  "-o", `ConnectionAttempts=${attempts}`,
  "-o", "User=root",
  "--", vm.address,
  ...command
]

/** An sshd that the user looks for on another port is none of the agent's business. */
const ownPort = (options: ReadonlyArray<string>) => options.some((word) => word.startsWith("-p") || /^(-o)?\s*port[\s=]/i.test(word))

/** A program with this process's own files. The terminal sends it its signals; it decides what they mean. */
export const attached = (program: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = process.env): Effect.Effect<number, LocalFailure> =>
  Effect.scoped(Effect.gen(function*() {
    const child = spawn(program, args, { stdio: "inherit", env })
    yield* onSignals((signal) => void (signal === "SIGINT" || child.kill(signal)))
    return yield* Effect.async<number, LocalFailure>((resume) => {
      child.on("error", (error) => resume(new LocalFailure({ problem: `cannot run ${program}: ${error.message}`, fix: "" })))
      child.on("close", (status, signal) => resume(Effect.succeed(status ?? 128 + (signal === null ? 0 : constants.signals[signal]))))
      return Effect.sync(() => void child.kill("SIGTERM"))
    })
  }))

export const noSshd = ({ name }: VmView) =>
  new LocalFailure({ problem: `${name} has no sshd: its image comes without one`, fix: `banger vm exec ${name} -- CMD needs none` })

/** Waits for the guest's sshd. An agent of an earlier version cannot tell: ssh then tries once a second itself. */
const awaitSshd = (vm: VmView, seconds: number) =>
  Effect.gen(function*() {
    const term = process.env["TERM"] ?? ""
    const server = yield* Effect.option(sshServer(vm.vsock, seconds, term))
    if (Option.isNone(server)) return { term, attempts: PATIENCE }
    if (server.value.state === "missing" && seconds > 0) return yield* noSshd(vm)
    if (server.value.state === "silent" && seconds > 0) {
      return yield* new LocalFailure({ problem: `the sshd of ${vm.name} does not listen on port 22: nothing in the guest has started it`, fix: `banger vm exec ${vm.name} -- CMD needs none` })
    }
    return { term: server.value.term, attempts: 1 }
  })

/** The file of the key that logs in to guests, in a home with such a configuration. */
export const keyIn = (home: string, config: Pick<UserConfig, "ssh_key_path">): Effect.Effect<string, LocalFailure> =>
  Effect.suspend(() => {
    const key = sshKeyOf(config, home)
    if (existsSync(key)) return Effect.succeed(key)
    return new LocalFailure(config.ssh_key_path === undefined
      ? { problem: `there is no key ${key}`, fix: "sudo banger system install --owner $USER makes it" }
      : { problem: `there is no key ${key}, which ssh_key_path names`, fix: `correct it in ${userConfigPath()}; without it banger's own key is used` })
  })

export const ownKey = Effect.flatMap(userConfig, (config) => keyIn(homedir(), config))

/** The system's ssh, with the owner's key for guests, and the host key that banger made. `words` are the user's: options, then a command. */
export const ssh = (vm: VmView, words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const key = yield* ownKey
    const split = sshWords(words)
    const { attempts, term } = yield* awaitSshd(vm, ownPort(split.options) ? 0 : PATIENCE)
    // The end of the session waits for no daemon.
    yield* Effect.forkScoped(Effect.disconnect(tellPauses(vm, process.stdin.isTTY === true)))
    return yield* attached("ssh", sshArguments(vm, key, split, attempts), { ...process.env, ...(term !== "" && { TERM: term }) })
  }).pipe(Effect.scoped)

/** The option for a session with a terminal or without: `-t` alone gives one only where this end has one, too. */
export const terminalOption = (wanted: boolean): string => wanted ? "-tt" : "-T"

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/** A command line for the guest's shell that does what an exec over vsock would. */
export const remoteCommand = (argv: ReadonlyArray<string>, cwd: string, env: Readonly<Record<string, string>>): string => {
  const assignments = Object.entries(env).map(([key, value]) => `export ${key}=${quote(value)};`)
  const program = argv.length === 0 ? 'exec "${SHELL:-/bin/sh}" -l' : `exec ${argv.map(quote).join(" ")}`
  return [...assignments, cwd === "" ? "" : `cd ${quote(cwd)} &&`, program].filter((part) => part !== "").join(" ")
}
