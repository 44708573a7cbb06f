import { assert, describe, it } from "@effect/vitest"
import { why } from "./dead.ts"

const shown = "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=1\nNRestarts=7\n"

describe("why a daemon does not run", () => {
  it("is its unit's state, and the last complaint in the journal", () => {
    const journal = [
      "Started bangerd.service", JSON.stringify({ logLevel: "ERROR", message: ["the disk is full"] }), JSON.stringify({ logLevel: "INFO", message: "an error of nobody" }), "Scheduled restart job"
    ].join("\n")
    assert.strictEqual(why(shown, journal), "bangerd.service is activating, auto-restart (exit-code, status 1, 7 restarts); it said: the disk is full")
    assert.strictEqual(why(shown, "bangerd.service: Failed to execute: Permission denied"), "bangerd.service is activating, auto-restart (exit-code, status 1, 7 restarts); it said: bangerd.service: Failed to execute: Permission denied")
  })

  it("is not known where there is no systemd, and no fault where it was stopped", () => {
    assert.strictEqual(why("", ""), "")
    assert.strictEqual(why("ActiveState=inactive\nSubState=dead\nResult=success\nExecMainStatus=0\nNRestarts=0\n", ""), "bangerd.service is inactive, dead")
  })
})
