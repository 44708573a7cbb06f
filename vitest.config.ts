import { defineConfig } from "vitest/config"

/** The tiers that need no host VM: pure code, and one contract suite a capability over memory and over a socket. */
export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts"],
    testTimeout: 20_000,
    pool: "threads"
  }
})
