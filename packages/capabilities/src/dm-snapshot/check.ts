import * as Effect from "effect/Effect"
import { notReady, ready } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { installs } from "../distribution.ts"
import { Helper } from "../helper.ts"
import { lacking } from "../kernel-feature.ts"
import type { DmFacts } from "./ops.ts"

export const judge = (facts: typeof DmFacts.Type) =>
  facts.dmsetup === null
    ? notReady("dmsetup is missing", installs("dmsetup"))
    : facts.losetup === null
    ? notReady("losetup is missing", installs("losetup"))
    : facts.control !== "there"
    ? notReady("the kernel has no device mapper", lacking(facts.control, "dm_mod"))
    : facts.snapshot !== "there"
    ? notReady("the kernel has no dm-snapshot target", lacking(facts.snapshot, "dm_snapshot"))
    : facts.loopControl !== "there"
    ? notReady("the kernel has no loop devices", lacking(facts.loopControl, "loop"))
    : facts.lost.length > 0
    ? notReady(`the root disk of VM ${facts.lost.join(", ")} is lost: the host's disk was full while it wrote`, "banger vm logs --daemon NAME; banger vm delete NAME once its /root is copied")
    : ready(facts.dmsetup)

export const checks = [factCheck("device mapper", Effect.flatMap(Helper, (helper) => helper.dm.Facts()), judge)]
