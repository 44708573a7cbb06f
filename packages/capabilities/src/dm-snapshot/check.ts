import * as Effect from "effect/Effect"
import { mend, notReady, ready } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { installs } from "../distribution.ts"
import { Helper } from "../helper.ts"
import type { DmFacts } from "./ops.ts"

export const judge = (facts: typeof DmFacts.Type) =>
  facts.dmsetup === null
    ? notReady("dmsetup is missing", installs("dmsetup"))
    : facts.losetup === null
    ? notReady("losetup is missing", installs("losetup"))
    : !facts.control
    ? notReady("the kernel has no device mapper", mend("sudo modprobe dm_mod"))
    : !facts.snapshot
    ? notReady("the kernel has no dm-snapshot target", mend("sudo modprobe dm_snapshot"))
    : !facts.loopControl
    ? notReady("the kernel has no loop devices", mend("sudo modprobe loop"))
    : facts.lost.length > 0
    ? notReady(`the root disk of VM ${facts.lost.join(", ")} is lost: the host's disk was full while it wrote`, "banger vm logs --daemon NAME; banger vm delete NAME once its /root is copied")
    : ready(facts.dmsetup)

export const checks = [factCheck("device mapper", Effect.flatMap(Helper, (helper) => helper.dm.Facts()), judge)]
