import * as fs from "node:fs/promises"
import { run } from "@banger/capabilities/exec.ts"
import { UID_BASE } from "@banger/domain/network.ts"
import * as Effect from "effect/Effect"
import { Refused } from "./refused.ts"

/** The uids of VMs: one a slot. */
const LAST = UID_BASE + 65_535

const inRange = (id: number) => id >= UID_BASE && id <= LAST

/** Users and groups of the listing whose ids are VMs', one a line as getent prints them. */
export const taken = (listing: string): ReadonlyArray<string> =>
  listing.split("\n").flatMap((line) => {
    const [name, , id] = line.split(":")
    return id !== undefined && id !== "" && inRange(Number(id)) ? [`${name} (${id})`] : []
  })

/** Users of /etc/subuid or /etc/subgid whose range for containers meets that of VMs. */
export const lent = (ranges: string): ReadonlyArray<string> =>
  ranges.split("\n").flatMap((line) => {
    const [name, first, count] = line.split(":").map((part) => part.trim())
    const [from, to] = [Number(first), Number(first) + Number(count) - 1]
    return name !== undefined && name !== "" && from <= LAST && to >= UID_BASE ? [`${name} (${from} to ${to})`] : []
  })

/**
 * Where a directory service that does not list its users hands out ids first, when its range begins with ours or with a round
 * number in it: at the start, and where Active Directory's own begin.
 */
const LIKELY = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 500, 512, 513, 1000, 1001, 1002, 1003, 1004, 1005, 1100, 1101, 1102, 1103, 1104, 1105, 1106]
const PROBES = [...LIKELY, ...Array.from({ length: 15 }, (_, index) => (index + 1) * 4096), 65_535].map((offset) => String(UID_BASE + offset))

/** getent ends with 2 when one of the keys is nobody's, and prints the others. */
const listed = (...argv: readonly [string, ...ReadonlyArray<string>]) =>
  run(["sh", "-c", 'getent "$@" || [ $? = 2 ]', "sh", ...argv], { timeoutMs: 30_000 }).pipe(Effect.orElseSucceed(() => ""))

const read = (path: string) => Effect.promise(() => fs.readFile(path, "utf8").catch(() => ""))

/** VMs run under uids of their own; a user database that hands those out would give somebody a VM's files. */
export const uidsAreFree = Effect.gen(function*() {
  const users = yield* Effect.all([listed("passwd"), listed("passwd", ...PROBES), listed("group"), listed("group", ...PROBES)], { concurrency: "unbounded" })
  const ranges = yield* Effect.all([read("/etc/subuid"), read("/etc/subgid")])
  const found = [...new Set([...users.flatMap(taken), ...ranges.flatMap(lent)])]
  if (found.length === 0) return
  return yield* new Refused({
    problem: `ids from ${UID_BASE} to ${LAST} are VMs' alone, and in use: ${found.slice(0, 3).join(", ")}${found.length > 3 ? "..." : ""}`,
    fix: "give those users or ranges other ids: usermod --uid, usermod --del-subuids, or the directory service's id range"
  })
})
