import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import * as Effect from "effect/Effect"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../errors.ts"
import { KNOWN_HOSTS, sshKey } from "../host-paths.ts"
import { onSignals } from "../signals.ts"

/** `attempts`: how many seconds to wait for an sshd that is still coming up. */
export const sshArguments = (vm: Pick<VmView, "name" | "address">, key: string, attempts: number): ReadonlyArray<string> => [
  "-i", key,
  "-o", "IdentitiesOnly=yes",
  "-o", `UserKnownHostsFile=${KNOWN_HOSTS}`,
  "-o", "GlobalKnownHostsFile=/dev/null",
  "-o", "StrictHostKeyChecking=yes",
  "-o", `HostKeyAlias=${vm.name}.vm`,
  "-o", "CheckHostIP=no",
  // A guest is not trusted with the user's keys and screen, whatever `Host *` says; `-- -A` and `-- -X` still ask for it.
  "-o", "ForwardAgent=no",
  "-o", "ForwardX11=no",
  "-o", `ConnectionAttempts=${attempts}`,
  "-l", "root",
  vm.address
]

/** A program with this process's own files. The terminal sends it its signals; it decides what they mean. */
export const attached = (program: string, args: ReadonlyArray<string>): Effect.Effect<number, LocalFailure> =>
  Effect.scoped(Effect.gen(function*() {
    const child = spawn(program, args, { stdio: "inherit" })
    yield* onSignals((signal) => void (signal === "SIGINT" || child.kill(signal)))
    return yield* Effect.async<number, LocalFailure>((resume) => {
      child.on("error", (error) => resume(new LocalFailure({ problem: `cannot run ${program}: ${error.message}`, fix: "" })))
      child.on("close", (status, signal) => resume(Effect.succeed(status ?? 128 + (signal === null ? 0 : constants.signals[signal]))))
      return Effect.sync(() => void child.kill("SIGTERM"))
    })
  }))

/** The system's ssh, with banger's key, and the host key that banger made. */
export const ssh = (vm: VmView, rest: ReadonlyArray<string>, attempts: number) =>
  Effect.gen(function*() {
    const key = sshKey()
    if (!existsSync(key)) {
      return yield* new LocalFailure({ problem: `there is no key ${key}`, fix: "sudo banger system install --owner $USER makes it" })
    }
    return yield* attached("ssh", [...sshArguments(vm, key, attempts), ...rest])
  })

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/** A command line for the guest's shell that does what an exec over vsock would. */
export const remoteCommand = (argv: ReadonlyArray<string>, cwd: string, env: Readonly<Record<string, string>>): string => {
  const assignments = Object.entries(env).map(([key, value]) => `export ${key}=${quote(value)};`)
  const program = argv.length === 0 ? 'exec "${SHELL:-/bin/sh}" -l' : `exec ${argv.map(quote).join(" ")}`
  return [...assignments, cwd === "" ? "" : `cd ${quote(cwd)} &&`, program].filter((part) => part !== "").join(" ")
}
