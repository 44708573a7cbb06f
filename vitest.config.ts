import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

/** The tiers that need no host VM: pure code, and one contract suite a capability over memory and over a socket. */
export default defineConfig({
  test: {
    globalSetup: "packages/cli/src/testing/run-directory.ts",
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts"],
    // Nobody waits for it to pass: a machine that does much else takes half a minute for what takes a second.
    testTimeout: 60_000,
    pool: "threads",
    // Files share the modules that a thread has loaded: loading Effect anew for each is half of the time. Our modules keep no state.
    // As many as there are processors: vitest would leave one to itself, of two.
    poolOptions: { threads: { isolate: false, minThreads: 1, maxThreads: availableParallelism() } }
  }
})
