import { existsSync } from "node:fs"
import { homedir } from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { sshKeyOf } from "@banger/domain/config.ts"
import { mend, notReady, ready, type Verdict } from "@banger/domain/readiness.ts"
import type { Check } from "../capability.ts"
import { installs } from "../distribution.ts"
import { toolPath } from "../tool.ts"
import { GuestKeys } from "./contract.ts"

/** What makes host keys for guests. */
export const tools: Check<never> = {
  name: "ssh tools",
  run: Effect.sync(() => toolPath("ssh-keygen")).pipe(
    Effect.map((path) => path === null ? notReady("ssh-keygen is missing", installs("ssh-keygen")) : ready(path))
  )
}

/** `there`: which of the pair's files are. The command makes what is missing of the install's own pair (`made`), and of another no private key: somebody may hold that elsewhere. */
export const pair = (key: string, made: boolean, there: { readonly own: boolean; readonly pub: boolean }): Verdict =>
  there.own && there.pub
    ? ready(key)
    : there.own
    ? notReady(`${key}.pub is missing, which guests are given`, mend(`ssh-keygen -y -f ${key} >${key}.pub`))
    : made
    ? notReady(
      `${key} is missing, which logs in to guests (a home that is not there at boot is one reason)`,
      mend(`rm -f ${key}.pub && mkdir -p ${path.dirname(key)} && ssh-keygen -q -t ed25519 -N '' -C banger -f ${key}`)
    )
    : notReady(
      `${key} is missing, which ssh_key_path names and which logs in to guests`,
      `ssh-keygen -t ed25519 -f ${key} makes one; without ssh_key_path in ~/.config/banger/config.toml banger's own is used`
    )

/** The same of a key on this host. */
export const pairOf = (key: string): Verdict => pair(key, key === sshKeyOf({}, homedir()), { own: existsSync(key), pub: existsSync(`${key}.pub`) })

const key: Check<GuestKeys> = {
  name: "ssh key",
  run: Effect.flatMap(GuestKeys, ({ owners }) => Effect.match(owners, {
    onSuccess: pairOf,
    onFailure: ({ hint, problem }) => notReady(problem, hint)
  }))
}

export const checks: ReadonlyArray<Check<GuestKeys>> = [tools, key]
