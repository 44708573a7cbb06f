import * as Effect from "effect/Effect"
import { mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { Helper } from "../helper.ts"
import { ownership } from "../tool.ts"
import type { FirecrackerFacts } from "./ops.ts"
import { advisories, atLeast, breaksVsock, MINIMUM, TESTED } from "./version.ts"

type Facts = typeof FirecrackerFacts.Type

export const host = (facts: Facts) =>
  facts.arch !== "x64"
    ? notReady(`this machine is ${facts.arch}, banger runs on x86_64`, "use an x86_64 host")
    : !facts.kvm
    ? notReady("/dev/kvm is missing", "enable virtualisation in the firmware, then sudo modprobe kvm_intel or kvm_amd")
    : facts.systemd === null
    ? notReady("systemd is missing", "banger keeps its VMs as systemd units")
    : ready(`x86_64, /dev/kvm, ${facts.systemd}`)

export const program = (facts: Facts) => {
  const found = /v?(\d+\.\d+\.\d+\S*)/.exec(facts.firecracker ?? "")?.[1]
  const install = "put firecracker and jailer into /usr/local/bin, then sudo banger system install"
  if (facts.changeable !== null) return notReady(`others than root can change ${facts.changeable}`, mend(ownership(facts.changeable)))
  if (found === undefined) return notReady("firecracker is missing or does not run", install)
  if (facts.jailer === null) return notReady("jailer is missing beside firecracker", install)
  if (!atLeast(found, MINIMUM)) return notReady(`Firecracker ${found} is too old, ${MINIMUM} is the oldest that works`, install)
  const known = advisories(found)
  if (known.length > 0) {
    const meanwhile = breaksVsock(found) ? "; until then banger kernel pull debian-6.1, and default_kernel in the configuration" : ""
    return warning(`Firecracker ${found} has ${known.join(" and ")}`, `install 1.15.1 or newer${meanwhile}`)
  }
  return atLeast(found, `${TESTED}.999`)
    ? warning(`Firecracker ${found} is newer than ${TESTED}, the newest tried`, "report what does not work")
    : ready(`Firecracker ${found}`)
}

const facts = Effect.flatMap(Helper, (helper) => helper.firecracker.Facts())

export const checks = [factCheck("host", facts, host), factCheck("firecracker", facts, program)]
