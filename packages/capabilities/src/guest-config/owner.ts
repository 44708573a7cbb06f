import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { run } from "../exec.ts"
import { GuestOwner } from "./contract.ts"

/** The records of `git config -z`: a key, a line's end, the value. */
export const settings = (said: string): ReadonlyMap<string, string> =>
  new Map(said.split("\0").flatMap((record) => {
    const at = record.indexOf("\n")
    return at === -1 ? [] : [[record.slice(0, at), record.slice(at + 1)] as const]
  }))

/** Of the user whose home it is. An owner without a name in git, or a host without git, has none. */
export const layer = (home: string) =>
  Layer.succeed(GuestOwner, {
    read: run(["env", `HOME=${home}`, "git", "config", "--global", "-z", "--get-regexp", "^user\\.(name|email)$"], { timeoutMs: 5_000 }).pipe(
      Effect.map(settings),
      Effect.orElseSucceed(() => new Map<string, string>()),
      Effect.map((git) => ({ timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, git }))
    )
  })
