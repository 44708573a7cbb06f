import { assert, it } from "@effect/vitest"
import { kernelFiles } from "./host-kernel.ts"

it("a host's kernel is looked for in /boot, and where Arch has it, which keeps none by its release there", () => {
  const places = kernelFiles("6.12.1-arch1-1")
  assert.strictEqual(places[0], "/boot/vmlinuz-6.12.1-arch1-1")
  assert.include(places, "/lib/modules/6.12.1-arch1-1/vmlinuz")
})
