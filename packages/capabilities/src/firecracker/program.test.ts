import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporary } from "../testing/temporary.ts"
import { programFacts } from "./program.ts"

const own = process.getuid?.() ?? 0

/** Programs that say their version, and leave a trace of having been run. */
const programs = Effect.map(temporary, (directory) => {
  const ran = `${directory}/ran`
  fs.mkdirSync(`${directory}/bin`)
  const put = (name: string, says: string) => fs.writeFileSync(`${directory}/bin/${name}`, `#!/bin/sh\necho run >>${ran}\necho ${says}\n`, { mode: 0o755 })
  put("firecracker", "Firecracker v1.15.1")
  put("jailer", "Jailer v1.15.1")
  return { bin: `${directory}/bin`, put, ran: () => fs.existsSync(ran), found: programFacts({ firecracker: `${directory}/bin/firecracker`, jailer: `${directory}/bin/jailer` }) }
})

// In a directory of another user's everything is changeable by others than root.
describe.skipIf(own !== 0)("Firecracker and its jailer", () => {
  it.scopedLive("are not run, since root would run them, while anybody else can change one of them", () => Effect.gen(function*() {
    const { bin, found, ran } = yield* programs
    for (const place of [`${bin}/firecracker`, `${bin}/jailer`, bin]) {
      const { mode } = fs.statSync(place)
      fs.chmodSync(place, 0o777)
      assert.deepInclude(yield* found, { changeable: place, firecracker: null, jailer: null })
      fs.chmodSync(place, mode & 0o7777)
    }
    assert.isFalse(ran())
    assert.deepInclude(yield* found, { changeable: null, firecracker: "Firecracker v1.15.1", jailer: "Jailer v1.15.1", linker: null, misnamed: null, directory: bin })
    assert.isTrue(ran())
    fs.chownSync(`${bin}/jailer`, 4242, 0)
    assert.deepInclude(yield* found, { changeable: `${bin}/jailer`, jailer: null })
  }))

  it.scopedLive("have the names of the files that links lead to, and are out of sight where services do not look", () => Effect.gen(function*() {
    const { bin, found, put } = yield* programs
    // Tests lie in /tmp, as a rule.
    assert.strictEqual((yield* found).hidden, bin.startsWith("/tmp/") ? `${bin}/firecracker` : null)
    put("jailer-v1.15.1-x86_64", "Jailer v1.15.1")
    fs.rmSync(`${bin}/jailer`)
    fs.symlinkSync("jailer-v1.15.1-x86_64", `${bin}/jailer`)
    assert.strictEqual((yield* found).misnamed, `${bin}/jailer-v1.15.1-x86_64`)
    fs.rmSync(`${bin}/firecracker`)
    assert.deepInclude(yield* found, { firecracker: null, misnamed: `${bin}/jailer-v1.15.1-x86_64` })
  }))
})
