import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** By name: the files are numbered, and the last takes banger away. */
class ByName extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    return files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId))
  }
}

/** The tiers that run in the host VM: one after the other, since they share it. */
export default defineConfig({
  test: {
    setupFiles: ["test/diagnose.ts"],
    fileParallelism: false,
    sequence: { sequencer: ByName },
    // A guest under nested emulation takes 15 to 40 s to boot, a command a few seconds.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    bail: 0
  }
})
