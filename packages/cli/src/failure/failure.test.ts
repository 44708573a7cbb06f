import { assert, describe, it } from "@effect/vitest"
import * as paths from "@banger/capabilities/paths.ts"
import { NameTaken, VmNotFound } from "@banger/domain/errors.ts"
import { VmName, VmRef } from "@banger/domain/ids.ts"
import { Misuse } from "../command-line/misuse.ts"
import { daemonSocket, LAYERS, staging, STORE } from "../host/paths.ts"
import { shownOn } from "../output/log-file.ts"
import { DaemonUnreachable } from "./errors.ts"
import { statusOf } from "./exit.ts"
import { failureOf, renderFailure, typed } from "./failure.ts"

describe("a failure", () => {
  it("is two lines, or one object with stable fields", () => {
    const error = new VmNotFound({ ref: VmRef.make("sandbox") })
    assert.strictEqual(renderFailure(error, false), "banger: there is no VM sandbox\n  banger vm list --all shows what there is\n")
    assert.deepStrictEqual(JSON.parse(renderFailure(error, true)), {
      error: { kind: "vm-not-found", message: "there is no VM sandbox", hint: "banger vm list --all shows what there is" }
    })
  })

  it("never shows more than a line of text, nor control characters of a guest's", () => {
    const shownText = renderFailure(new Misuse("first\nsecond\x1b[2J", "hint\n\nmore"), false)
    assert.strictEqual(shownText, "banger: first; second?[2J\n  hint; more\n")
    assert.isBelow(renderFailure(new Misuse("x".repeat(5_000), ""), false).length, 1_100)
    assert.strictEqual(failureOf(new TypeError("x is not a function")).kind, "internal")
  })

  it("names a command that sudo finds", () => {
    assert.strictEqual(typed("sudo banger system restart; sudo bangers", () => "/usr/local/bin/banger"), "sudo /usr/local/bin/banger system restart; sudo bangers")
    assert.strictEqual(typed("banger doctor", () => assert.fail("asked for nothing")), "banger doctor")
  })

  it("has the status of its kind, and 125 where other numbers are the guest's", () => {
    assert.strictEqual(statusOf(new Misuse("", "")), 2)
    assert.strictEqual(statusOf(new Misuse("", ""), 125), 2)
    assert.strictEqual(statusOf(new VmNotFound({ ref: VmRef.make("x") })), 3)
    assert.strictEqual(statusOf(new VmNotFound({ ref: VmRef.make("x") }), 125), 125)
    assert.strictEqual(statusOf(new NameTaken({ name: VmName.make("x") })), 4)
    assert.strictEqual(statusOf(new DaemonUnreachable({ reason: "not running", owner: "" })), 5)
    assert.strictEqual(statusOf(new Error("x")), 1)
  })
})

describe("what is shown of a console", () => {
  it("on a terminal: text, line ends and colours; elsewhere every byte", () => {
    const bytes = Buffer.from("a\x1b[31mb\x1b]0;title\x07\x1b[2Jc\r\n\té", "utf8")
    assert.strictEqual(shownOn(true)(bytes).toString("utf8"), "a\x1b[31mb?]0;title??[2Jc\r\n\té")
    assert.strictEqual(shownOn(false)(bytes), bytes)
  })

  it("shows the same wherever the log's pieces are cut", () => {
    const bytes = Buffer.from("a\x1b[31mb\x1b]0;title\x07\x9b2Jc\xc2\x9bé\r\n", "utf8")
    const whole = shownOn(true)(bytes).toString("latin1")
    for (let cut = 1; cut < bytes.length; cut++) {
      const shown = shownOn(true)
      assert.strictEqual(Buffer.concat([shown(bytes.subarray(0, cut)), shown(bytes.subarray(cut))]).toString("latin1"), whole, `cut at ${cut}`)
    }
  })
})

describe("places on the host", () => {
  it("are those of the daemon", () => {
    assert.strictEqual(daemonSocket(), paths.DAEMON_SOCKET)
    assert.strictEqual(staging(), paths.STAGING)
    assert.strictEqual(LAYERS, paths.LAYERS)
    assert.strictEqual(STORE, paths.STORE)
  })
})
