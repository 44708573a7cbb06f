import { readFileSync } from "node:fs"
import { mend, notReady, ready, type Verdict, warning } from "@banger/domain/readiness.ts"
import * as Effect from "effect/Effect"
import { run } from "./exec.ts"

export interface SelinuxFacts {
  readonly mode: "off" | "permissive" | "enforcing"
  /** A program of banger's that systemd runs, and its label, such as system_u:object_r:bin_t:s0; null when it has none. */
  readonly program: string
  readonly label: string | null
  /** Debian's boolean without which no program may execute memory that it writes; null where the policy has none of that name. */
  readonly execmem: boolean | null
}

/** Types of what init may run as a service: anything else ends in 203/EXEC where SELinux is enforced. */
const PROGRAM = /:(bin_t|[a-z0-9_]+_exec_t):/

export const judge = ({ execmem, label, mode, program }: SelinuxFacts): Verdict => {
  if (mode === "off") return ready("off")
  if (label !== null && PROGRAM.test(`${label}:`)) {
    // Where it is enforced nobody is there to ask: Node does not start.
    if (execmem === false) return warning("its boolean allow_execmem is off: once SELinux is enforced, Node, which compiles at run time, does not start", mend("sudo setsebool -P allow_execmem on"))
    return ready(`${mode}, banger's programs are labelled as such`)
  }
  const problem = `${program} is labelled ${label ?? "not at all"}, and SELinux lets systemd run what is labelled as a program`
  const fix = mend("sudo restorecon -RF /usr/local/lib/banger && sudo systemctl restart bangerd-root bangerd")
  return mode === "enforcing" ? notReady(problem, fix) : warning(problem, fix)
}

const mode = (): SelinuxFacts["mode"] => {
  try {
    return readFileSync("/sys/fs/selinux/enforce", "utf8").trim() === "1" ? "enforcing" : "permissive"
  } catch {
    // No such file system: the kernel has none, or does not use it.
    return "off"
  }
}

const execmem = () => {
  try {
    // Its value now, and the one that is pending.
    return readFileSync("/sys/fs/selinux/booleans/allow_execmem", "utf8").startsWith("1")
  } catch {
    return null
  }
}

/** About a program that stands beside those which systemd runs. */
export const facts = (program: string): Effect.Effect<SelinuxFacts> =>
  Effect.gen(function*() {
    const found = mode()
    const label = found === "off" ? "" : yield* Effect.orElseSucceed(run(["stat", "-c", "%C", program]), () => "")
    return { mode: found, program, execmem: execmem(), label: ["", "?"].includes(label.trim()) ? null : label.trim() }
  })
