import * as Effect from "effect/Effect"
import { notReady, ready } from "@banger/domain/readiness.ts"
import type { Check } from "../capability.ts"
import { installs } from "../distribution.ts"
import { toolPath } from "../tool.ts"

export const checks: ReadonlyArray<Check<never>> = [{
  name: "ssh tools",
  run: Effect.sync(() => toolPath("ssh-keygen")).pipe(
    Effect.map((path) => path === null ? notReady("ssh-keygen is missing", installs("ssh-keygen")) : ready(path))
  )
}]
