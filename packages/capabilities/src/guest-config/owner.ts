import { readlinkSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { run } from "../exec.ts"
import { GuestOwner } from "./contract.ts"

/** The records of `git config -z`: a key, a line's end, the value. Of several for a key git takes the last. */
export const settings = (said: string): ReadonlyMap<string, string> =>
  new Map(said.split("\0").flatMap((record) => {
    const at = record.indexOf("\n")
    return at === -1 ? [] : [[record.slice(0, at), record.slice(at + 1)] as const]
  }))

/** A name of the tz database as the guest program takes it (native/internal/config): another one would keep the VM from booting. */
const ZONE = /(?:^|\/zoneinfo\/(?:posix\/|right\/)?)([A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+){0,2})$/

const named = (zone: string): string => ZONE.exec(zone)?.[1] ?? ""

/** The host's zone by its link: Node knows the zone of its own start alone, and by names that newer tz databases have put aside. */
export const timezone = (localtime = "/etc/localtime"): string => {
  try {
    return named(readlinkSync(localtime))
  } catch {
    // A copy of the zone, or none.
    return named(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "")
  }
}

/** Of the user whose home it is. An owner without a name in git, or a host without git, has none. No repository is asked: / is none. */
export const layer = (home: string) =>
  Layer.succeed(GuestOwner, {
    read: run(["env", `HOME=${home}`, "git", "-C", "/", "config", "--includes", "-z", "--get-regexp", "^user\\.(name|email)$"], { timeoutMs: 5_000 }).pipe(
      Effect.map(settings),
      Effect.orElseSucceed(() => new Map<string, string>()),
      Effect.map((git) => ({ timezone: timezone(), git }))
    )
  })
