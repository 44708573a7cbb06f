import * as Effect from "effect/Effect"
import { mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { Helper } from "../helper.ts"
import { ownership } from "../tool.ts"
import { unfit } from "./mounts.ts"
import type { FirecrackerFacts, KvmFacts, MachineFacts } from "./ops.ts"
import { advisories, atLeast, breaksVsock, losesPaused, MINIMUM, TESTED } from "./version.ts"

export const machine = (facts: typeof MachineFacts.Type) => {
  const problem = unfit(facts.jails)
  return facts.arch !== "x64"
    ? notReady(`this machine is ${facts.arch}, banger runs on x86_64`, "use an x86_64 host")
    : facts.systemd === null
    ? notReady("systemd is missing", "banger keeps its VMs as systemd units")
    : !facts.unified
    ? notReady("the host's cgroups are version 1, or a mix of both: banger finds its VMs by version 2", "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line")
    : problem !== null
    ? notReady(problem.problem, mend(problem.fix))
    : ready(`x86_64, ${facts.systemd}`)
}

const NESTED = "this host is itself a virtual machine: turn on nested virtualisation where it is configured (in a cloud: a type that has it, or bare metal)"
const FIRMWARE = "turn on virtualisation (VT-x, AMD-V, SVM) in the firmware"

export const kvm = ({ module, problem, state, virtual }: typeof KvmFacts.Type) =>
  state === "works"
    ? ready("/dev/kvm runs a guest")
    : state === "denied"
    ? ready("/dev/kvm is there, and only root may try it: sudo banger system install --check")
    : state === "broken"
    ? notReady(`/dev/kvm is there and runs no guest: ${problem}`, virtual ? NESTED : FIRMWARE)
    : module === null
    ? notReady("/dev/kvm is missing, and the processor offers no virtualisation", virtual ? NESTED : FIRMWARE)
    : notReady("/dev/kvm is missing", mend(`sudo modprobe ${module}`))

const versionOf = (said: string | null) => /v?(\d+\.\d+\.\d+\S*)/.exec(said ?? "")?.[1]

export const program = (facts: typeof FirecrackerFacts.Type) => {
  const [found, ofJailer] = [versionOf(facts.firecracker), versionOf(facts.jailer)]
  const release = (which: string) => `put ${which} of a release of Firecracker into ${facts.directory}, then sudo banger system install`
  const install = release("firecracker and jailer")
  if (facts.hidden !== null) return notReady(`${facts.hidden} is out of sight of banger's services, which see no homes and no /tmp`, "put firecracker and jailer into /usr/local/bin, then sudo banger system install")
  if (facts.changeable !== null) return notReady(`others than root can change ${facts.changeable}`, mend(ownership(facts.changeable)))
  if (found === undefined) return notReady("firecracker is missing or does not run", install)
  if (facts.linker !== null) return notReady(`firecracker is linked dynamically (${facts.linker}), and a jail has no such file`, release("the static firecracker and jailer"))
  if (ofJailer === undefined) return notReady("jailer is missing beside firecracker, or does not run", install)
  if (ofJailer !== found) return notReady(`jailer is of version ${ofJailer}, firecracker of ${found}`, install)
  if (facts.misnamed !== null) return notReady(`${facts.misnamed} must itself be called firecracker or jailer, as jails are named after it`, install)
  if (!atLeast(found, MINIMUM)) return notReady(`Firecracker ${found} is too old, ${MINIMUM} is the oldest that works`, install)
  const known = advisories(found)
  if (known.length > 0) {
    const meanwhile = breaksVsock(found) ? "; until then banger kernel pull debian-6.1, and default_kernel in the configuration" : ""
    return warning(`Firecracker ${found} has ${known.join(" and ")}`, `install 1.15.1 or newer${meanwhile}`)
  }
  return atLeast(found, `${TESTED}.999`)
    ? warning(`Firecracker ${found} is newer than ${TESTED}, the newest tried`, "report what does not work")
    : losesPaused(found)
    ? warning(`Firecracker ${found} may let no new connection reach a VM that was paused, as VMs are on a nearly full disk`, "should banger vm exec NAME hang after that: banger vm restart NAME")
    : ready(`Firecracker ${found}`)
}

export const checks = [
  factCheck("host", Effect.flatMap(Helper, (helper) => helper.firecracker.MachineFacts()), machine),
  factCheck("kvm", Effect.flatMap(Helper, (helper) => helper.firecracker.KvmFacts()), kvm),
  factCheck("firecracker", Effect.flatMap(Helper, (helper) => helper.firecracker.Facts()), program)
]
