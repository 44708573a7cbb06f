import { assert, describe, it } from "@effect/vitest"
import { lent, taken } from "./uids.ts"

describe("ids of VMs", () => {
  it("are taken when a user or a group has one, wherever in the range", () => {
    const listing = ["root:x:0:0:root:/root:/bin/sh", "ada:*:1900000000:1:Ada:/:/bin/sh", "last:x:1900065535:", "next:x:1900065536:", "before:x:1899999999:", "odd", ""].join("\n")
    assert.deepStrictEqual(taken(listing), ["ada (1900000000)", "last (1900065535)"])
  })

  it("are taken when a range for containers meets theirs", () => {
    const ranges = ["ada:100000:65536", "bob:1899999999:2", "eve:1900065536:65536", "all:0:4294967295", "# a comment", ""].join("\n")
    assert.deepStrictEqual(lent(ranges), ["bob (1899999999 to 1900000000)", "all (0 to 4294967294)"])
  })
})
