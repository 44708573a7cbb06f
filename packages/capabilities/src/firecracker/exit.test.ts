import { assert, describe, it } from "@effect/vitest"
import { parseExit } from "./exit.ts"

describe("how a VM ended", () => {
  const cases: ReadonlyArray<readonly [text: string, clean: boolean, reason: string]> = [
    ["success exited 0\n", true, "the guest shut down"],
    ["exit-code exited 152\n", false, "exit code 152 (bad configuration)"],
    ["exit-code exited 7\n", false, "exit code 7"],
    ["signal killed KILL\n", false, "signal 9 (SIGKILL)"],
    ["core-dump dumped ABRT\n", false, "signal 6 (SIGABRT)"],
    ["oom-kill killed KILL\n", false, "signal 9 (SIGKILL), out of memory"],
    ["oom-kill killed KILL oom 0\n", false, "signal 9 (SIGKILL): the host ran out of memory"],
    ["oom-kill killed KILL oom 3\n", false, "signal 9 (SIGKILL): Firecracker went over the memory limit of its unit"],
    ["signal killed RTMIN\n", false, "signal RTMIN"],
    ["", false, "it ended without a status"]
  ]
  for (const [text, clean, reason] of cases) {
    it(reason, () => assert.deepStrictEqual(parseExit(text), { clean, reason }))
  }
})
