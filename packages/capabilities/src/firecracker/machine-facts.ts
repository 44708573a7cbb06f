import { closeSync, existsSync, lstatSync, openSync, readFileSync, readSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { JAILS } from "../paths.ts"
import { version } from "../tool.ts"
import { interpreter } from "./elf.ts"
import { mountOf } from "./mounts.ts"

/** Enough for the header of a program and the table of its parts. */
const ELF_BYTES = 64 << 10

/** The dynamic linker that a program names, or null, also where it cannot be read. */
export const linkerOf = (program: string): string | null => {
  try {
    const file = openSync(program, "r")
    try {
      const bytes = Buffer.alloc(ELF_BYTES)
      return interpreter(bytes.subarray(0, readSync(file, bytes, 0, ELF_BYTES, 0)))
    } finally {
      closeSync(file)
    }
  } catch {
    return null
  }
}

const mounts = (): string => {
  try {
    // As the host has them: a service sees mounts of its own sandbox, too.
    return readFileSync("/proc/1/mountinfo", "utf8")
  } catch {
    return readFileSync("/proc/self/mountinfo", "utf8")
  }
}

export const jailsMount = () => mountOf(mounts(), JAILS)

export const machine = Effect.map(version(["systemctl", "--version"]), (systemd) => ({
  arch: process.arch,
  systemd,
  unified: existsSync("/sys/fs/cgroup/cgroup.controllers"),
  jails: jailsMount()
}))

const Tried = Schema.parseJson(Schema.Struct({ state: Schema.Literal("denied", "broken", "works"), problem: Schema.String }))

/** A guest of a few instructions takes milliseconds, one that hangs is none that works. */
const TRY_MS = 10_000

export const kvm = Effect.gen(function*() {
  const { install } = yield* HostSettings
  const cpu = readFileSync("/proc/cpuinfo", "utf8")
  const about = {
    module: /^flags\b.*\bvmx\b/m.test(cpu) ? "kvm_intel" as const : /^flags\b.*\bsvm\b/m.test(cpu) ? "kvm_amd" as const : null,
    virtual: /^flags\b.*\bhypervisor\b/m.test(cpu)
  }
  // Not access(2): the device cgroup of a service refuses even to look at what it does not allow.
  if (lstatSync("/dev/kvm", { throwIfNoEntry: false }) === undefined) return { ...about, state: "missing" as const, problem: "" }
  const tried = yield* run([`${install}/bin/banger-kvm`], { timeoutMs: TRY_MS }).pipe(
    Effect.flatMap(Schema.decodeUnknown(Tried)),
    Effect.catchTag("CommandFailed", (error) => Effect.succeed({ state: "broken" as const, problem: error.message })),
    Effect.catchTag("ParseError", () => Effect.succeed({ state: "broken" as const, problem: "banger-kvm is of another version" }))
  )
  return { ...about, ...tried }
})
