import { assert, describe, it } from "@effect/vitest"
import { nameOf } from "./image-name.ts"

describe("the name of an image that is given none", () => {
  for (const [reference, name] of [
    ["debian:12", "debian-12"],
    ["debian", "debian"],
    ["debian:latest", "debian"],
    ["localhost:5000/team/app", "app"],
    ["localhost:5000/team/App:V1.2", "app-v1.2"],
    [`ghcr.io/owner/tool@sha256:${"0123456789ab".padEnd(64, "0")}`, "tool-0123456789ab"],
    [`tool:2@sha256:${"0".repeat(64)}`, "tool-2"]
  ] as const) {
    it(`${reference} is ${name}`, () => assert.strictEqual(nameOf(reference), name))
  }
})
