import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { notReady, ready } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { Helper } from "../helper.ts"
import { MAKE_ROOM } from "../reserve.ts"
import type { WorkDiskFacts } from "./ops.ts"

export const judge = (facts: typeof WorkDiskFacts.Type) =>
  facts.freeBytes < facts.reserveBytes
    ? notReady(`${size(facts.freeBytes)} free in /var/lib/banger, ${size(facts.reserveBytes)} are kept in reserve`, MAKE_ROOM)
    : ready(`${size(facts.freeBytes)} free`)

export const checks = [factCheck("disk space", Effect.flatMap(Helper, (helper) => helper.work.Facts()), judge)]
