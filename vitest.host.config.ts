import { defineConfig } from "vitest/config"

/** The tiers that run in the host VM: one after the other, since they share it. */
export default defineConfig({
  test: {
    fileParallelism: false,
    // A guest under nested emulation takes 15 s to boot, a command a few seconds.
    testTimeout: 240_000,
    hookTimeout: 900_000,
    bail: 0
  }
})
