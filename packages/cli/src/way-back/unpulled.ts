import * as Effect from "effect/Effect"
import { printable } from "@banger/domain/printable.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { runScript } from "../session/guest-program.ts"
import { UNPULLED } from "./in-guest.ts"

/** How long a guest may take to say; one that is busy, or hostile, keeps nobody waiting. */
const PATIENCE = "3 seconds"
const MAX_ANSWER = 4_096

/** Commits of a running VM's repositories that may be nowhere else, in words; none where it does not say. */
export const unpulled = ({ name, vsock }: VmView): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    let said = ""
    yield* runScript(vsock, UNPULLED, [], (bytes) => {
      said += bytes.toString("latin1")
      return said.length > MAX_ANSWER ? Effect.fail("it says too much") : Effect.void
    })
    return said.split("\n").flatMap((line) => {
      const [, count, directory = ""] = /^(\d{1,9}) (\/root\/.+)$/.exec(line) ?? []
      if (count === undefined) return []
      return [`${name} has ${count} ${count === "1" ? "commit" : "commits"} in ${printable(directory)} that nobody pulled`]
    })
  }).pipe(Effect.timeout(PATIENCE), Effect.orElseSucceed(() => []))
