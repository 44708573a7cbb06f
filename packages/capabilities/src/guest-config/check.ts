import { existsSync } from "node:fs"
import { homedir } from "node:os"
import * as Effect from "effect/Effect"
import { mend, notReady, ready } from "@banger/domain/readiness.ts"
import type { Check } from "../capability.ts"
import { installs } from "../distribution.ts"
import { ownersKey } from "../paths.ts"
import { toolPath } from "../tool.ts"

/** What makes host keys for guests. */
export const tools: Check<never> = {
  name: "ssh tools",
  run: Effect.sync(() => toolPath("ssh-keygen")).pipe(
    Effect.map((path) => path === null ? notReady("ssh-keygen is missing", installs("ssh-keygen")) : ready(path))
  )
}

/** `there`: which of the pair's files are; the command makes what is missing of it. */
export const pair = (key: string, there: { readonly own: boolean; readonly pub: boolean }) =>
  there.own && there.pub
    ? ready(key)
    : there.own
    ? notReady(`${key}.pub is missing, which guests are given`, mend(`ssh-keygen -y -f ${key} >${key}.pub`))
    : notReady(
      `${key} is missing, which logs in to guests (a home that is not there at boot is one reason)`,
      mend(`rm -f ${key}.pub && mkdir -p ${key.slice(0, key.lastIndexOf("/"))} && ssh-keygen -q -t ed25519 -N '' -C banger -f ${key}`)
    )

const key: Check<never> = {
  name: "ssh key",
  run: Effect.sync(() => ownersKey(homedir())).pipe(Effect.map((path) => pair(path, { own: existsSync(path), pub: existsSync(`${path}.pub`) })))
}

export const checks: ReadonlyArray<Check<never>> = [tools, key]
