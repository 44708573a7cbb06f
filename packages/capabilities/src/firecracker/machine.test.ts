import { assert, describe, it } from "@effect/vitest"
import { testSpec } from "../testing/spec.ts"
import { deviceOf, DRIVES } from "./drives.ts"
import { configuration } from "./machine.ts"
import { advisories, atLeast } from "./version.ts"

const of = (version: string) => configuration(testSpec(), { device: "bng5", mac: "02:62:6e:67:00:05" }, version)

describe("machine", () => {
  it("gives the drives in the order that names them in the guest", () => {
    const drives = of("1.12.1").filter(({ path }) => path.startsWith("/drives/")).map(({ path }) => path.slice(8))
    assert.deepStrictEqual(drives, [...DRIVES])
    assert.strictEqual(deviceOf("modules"), "/dev/vdc")
  })

  it("sends an older Firecracker nothing it does not know", () => {
    assert.isFalse(of("1.15.1").some(({ path }) => path === "/serial"))
    assert.isTrue(of("1.16.0").some(({ path }) => path === "/serial"))
  })

  it("names files in the jail relatively", () => {
    assert.notMatch(JSON.stringify(of("1.16.0").map(({ body }) => body)), /":"\//)
  })

  it("compares versions by number", () => {
    assert.isTrue(atLeast("v1.12.1", "1.8.0"))
    assert.isTrue(atLeast("1.17.0-dev", "1.16.1"))
    assert.isFalse(atLeast("1.9.9", "1.10.0"))
    assert.isFalse(atLeast("1.7.0", "1.8.0"))
  })

  it("knows which versions have published weaknesses", () => {
    assert.strictEqual(advisories("1.12.1").length, 3)
    assert.isTrue(advisories("1.13.2").some((text) => text.includes("5475")))
    assert.strictEqual(advisories("1.15.1").length, 0)
    assert.strictEqual(advisories("1.15.0").length, 1)
    assert.strictEqual(advisories("1.14.0").length, 2)
  })
})
