import { EventEmitter } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Degraded } from "./degraded.ts"
import { temporary } from "./testing/temporary.ts"
import { onTheWay, watched } from "./watched.ts"

/** What the file holds at each look, and a wait until that is `text`. */
const following = (file: string, watch?: (directory: string) => fs.FSWatcher) =>
  Effect.gen(function*() {
    const content = () => { try { return fs.readFileSync(file, "utf8") } catch { return "nothing" } }
    const waiting = new Map<string, Deferred.Deferred<void>>()
    let seen = ""
    yield* watched([file], () => {
      seen = content()
      const waiter = waiting.get(seen)
      if (waiter !== undefined) Deferred.unsafeDone(waiter, Effect.void)
    }, watch)
    return (text: string) =>
      Effect.gen(function*() {
        const reached = yield* Deferred.make<void>()
        waiting.set(text, reached)
        if (seen !== text) yield* Effect.timeoutFail(Deferred.await(reached), { duration: "10 seconds", onTimeout: () => `never "${text}", last "${seen}"` })
      })
  })

const put = (file: string, text: string) => {
  fs.writeFileSync(`${file}.new`, text)
  fs.renameSync(`${file}.new`, file)
}

describe("watched", () => {
  it.scopedLive("follows a file that is replaced, removed, and there again", () => Effect.gen(function*() {
    const file = `${yield* temporary}/list`
    const becomes = yield* following(file)
    yield* becomes("nothing")
    put(file, "one")
    yield* becomes("one")
    fs.writeFileSync(file, "two")
    yield* becomes("two")
    fs.rmSync(file)
    yield* becomes("nothing")
    put(file, "three")
    yield* becomes("three")
  }))

  it.scopedLive("follows links to where they lead, when the target changes and when a link on the way does", () => Effect.gen(function*() {
    const directory = yield* temporary
    for (const name of ["etc", "run/a", "run/b"]) fs.mkdirSync(`${directory}/${name}`, { recursive: true })
    put(`${directory}/run/a/list`, "a")
    put(`${directory}/run/b/list`, "b")
    fs.symlinkSync("a", `${directory}/run/now`)
    fs.symlinkSync("../run/now/list", `${directory}/etc/list`)
    const becomes = yield* following(`${directory}/etc/list`)
    yield* becomes("a")
    put(`${directory}/run/a/list`, "a again")
    yield* becomes("a again")
    fs.symlinkSync("b", `${directory}/run/now.new`)
    fs.renameSync(`${directory}/run/now.new`, `${directory}/run/now`)
    yield* becomes("b")
    put(`${directory}/run/b/list`, "b again")
    yield* becomes("b again")
  }))

  it.scopedLive("sees a directory that comes later, goes, and comes again", () => Effect.gen(function*() {
    const directory = yield* temporary
    const file = `${directory}/run/resolve/list`
    const becomes = yield* following(file)
    for (const text of ["one", "two"]) {
      fs.mkdirSync(path.dirname(file), { recursive: true })
      put(file, text)
      yield* becomes(text)
      fs.rmSync(`${directory}/run`, { recursive: true })
      yield* becomes("nothing")
    }
  }))

  it.scopedLive("looks once a second where there is no watch to be had, and watches again when there is one", () => Effect.gen(function*() {
    const file = `${yield* temporary}/list`
    let left = 0
    const becomes = yield* following(file, (directory) => {
      if (left-- <= 0) throw new Error("EMFILE: too many open files")
      return fs.watch(directory)
    })
    put(file, "one")
    yield* becomes("one")
    left = 1
    put(file, "two")
    yield* becomes("two")
    assert.strictEqual(left, 0)
    put(file, "three")
    yield* becomes("three")
    assert.strictEqual(left, 0)
  }))

  it.live("doctor has why there is no watch, until there is one or nobody wants it", () => Effect.gen(function*() {
    const all = yield* Degraded
    const none = (): never => { throw Object.assign(new Error("inotify"), { code: "ENOSPC" }) }
    yield* Effect.scoped(Effect.gen(function*() {
      const file = `${yield* temporary}/list`
      yield* watched([file], () => {}, none)
      assert.deepStrictEqual([...all].map(([what, { problem }]) => [what, problem]), [[`watch of ${file}`, "once a second instead, since no watch is to be had: inotify"]])
    }))
    assert.strictEqual(all.size, 0)
  }).pipe(Effect.provideService(Degraded, new Map())))

  it.scopedLive("a watch that breaks is replaced", () => Effect.gen(function*() {
    const file = `${yield* temporary}/list`
    const made: Array<EventEmitter> = []
    const becomes = yield* following(file, (directory) => {
      const watcher = fs.watch(directory)
      made.push(watcher)
      return watcher
    })
    made[0]?.emit("error", new Error("broken"))
    put(file, "one")
    yield* becomes("one")
    assert.isAtLeast(made.length, 2)
  }))

  it.scopedLive("a link that leads to itself is no endless way", () => Effect.gen(function*() {
    const directory = yield* temporary
    fs.symlinkSync("loop", `${directory}/loop`)
    assert.deepStrictEqual(onTheWay(`${directory}/loop/list`).filter((each) => each.startsWith(directory)), [directory])
  }))
})
