import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as Net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { testSpec } from "@banger/capabilities/testing/spec.ts"
import { Mailboxes } from "./contract.ts"
import { guest } from "./guest.ts"
import { layer } from "./listener.ts"

const { id } = testSpec()

/** A directory for the mailboxes and a socket of its own. */
const inDirectory = <A, E>(test: (mailbox: string, socket: string) => Effect.Effect<A, E, Mailboxes>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "banger-mailbox-"))),
    (directory) => Effect.provide(test(`${directory}/${id}/mailbox`, `${directory}/v.sock_1030`), layer(directory)),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
  )

/** What a guest hears. */
const leave = (socket: string, message: string) =>
  Effect.promise(() =>
    new Promise<string>((resolve, reject) => {
      let heard = ""
      const connection = Net.createConnection({ path: socket }, () => connection.write(message))
      connection.on("data", (text) => heard += String(text)).on("close", () => resolve(heard)).on("error", reject)
    })
  )

const messages = (mailbox: string) => fs.readFileSync(mailbox, "utf8").split("\n").filter((line) => line !== "").map((line) => line.replace(/^\S+ /, ""))

describe("mailbox listener", () => {
  it.live("keeps what guests leave, over a restart of the daemon that did not clean up", () =>
    inDirectory((mailbox, socket) => Effect.gen(function*() {
      const mailboxes = yield* Mailboxes
      yield* mailboxes.ensure(id)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* mailboxes.serve(id, socket, 4_096)
        assert.strictEqual(fs.statSync(socket).mode & 0o777, 0o666)
        assert.strictEqual(yield* leave(socket, "tests pass\n"), "ok\n")
      }))
      fs.writeFileSync(socket, "in the way")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* mailboxes.serve(id, socket, 4_096)
        assert.strictEqual(yield* leave(socket, "\x1b[31mred\n"), "ok\n")
      }))
      yield* mailboxes.ensure(id)
      assert.deepStrictEqual(messages(mailbox), ["tests pass", "?[31mred"])
    })))

  it.live("refuses what is too long, and what a full mailbox cannot hold", () =>
    inDirectory((mailbox, socket) => Effect.scoped(Effect.gen(function*() {
      const mailboxes = yield* Mailboxes
      yield* mailboxes.ensure(id)
      yield* mailboxes.serve(id, socket, 1_200)
      assert.strictEqual(yield* leave(socket, "x".repeat(5_000)), "the message is too long\n")
      assert.strictEqual(yield* leave(socket, `${"y".repeat(1_000)}\n`), "ok\n")
      assert.strictEqual(yield* leave(socket, `${"z".repeat(1_000)}\n`), "the mailbox is full\n")
      assert.deepStrictEqual(messages(mailbox), ["y".repeat(1_000)])
    }))))

  it.live("removes the mailbox, and succeeds when there is none", () =>
    inDirectory((mailbox) => Effect.gen(function*() {
      const mailboxes = yield* Mailboxes
      yield* mailboxes.ensure(id)
      yield* mailboxes.remove(id)
      yield* mailboxes.remove(id)
      assert.isFalse(fs.existsSync(path.dirname(mailbox)))
    })))

  it.live("says where it cannot write", () =>
    Effect.gen(function*() {
      const { problem } = yield* (yield* Mailboxes).status
      assert.match(problem ?? "", /no such file/)
    }).pipe(Effect.provide(layer("/nowhere/at/all"))))
})

describe("leave-message", () => {
  it("is a program that perl takes", () => {
    const { status, stderr } = spawnSync("perl", ["-c", "-"], { input: guest().files?.[0]?.content ?? "", encoding: "utf8" })
    assert.strictEqual(status, 0, stderr)
  })
})
