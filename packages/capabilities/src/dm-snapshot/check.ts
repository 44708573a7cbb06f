import * as Effect from "effect/Effect"
import { notReady, ready } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { Helper } from "../helper.ts"
import type { DmFacts } from "./ops.ts"

export const judge = (facts: typeof DmFacts.Type) =>
  facts.dmsetup === null
    ? notReady("dmsetup is missing", "install dmsetup (Fedora: device-mapper)")
    : facts.losetup === null
    ? notReady("losetup is missing", "install util-linux (mount on Debian)")
    : !facts.control
    ? notReady("the kernel has no device mapper", "sudo modprobe dm_mod")
    : !facts.snapshot
    ? notReady("the kernel has no dm-snapshot target", "sudo modprobe dm_snapshot")
    : !facts.loopControl
    ? notReady("the kernel has no loop devices", "sudo modprobe loop")
    : ready(facts.dmsetup)

export const checks = [factCheck("device mapper", Effect.flatMap(Helper, (helper) => helper.dm.Facts()), judge)]
