import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mustFit } from "./work-disk.ts"

const GIB = 2 ** 30
const workspace = (files: ReadonlyArray<number>, ...histories: ReadonlyArray<number>) =>
  ({ members: files.map((bytes) => ({ bytes })), repositories: histories.map((bytes) => ({ history: { bytes } })) })

describe("a workspace", () => {
  it.effect("fits where its files and its histories do", () => Effect.gen(function*() {
    yield* mustFit(workspace([3 * GIB], 3 * GIB, GIB), 8192)
    for (const large of [workspace([9 * GIB]), workspace([], 8 * GIB), workspace([3 * GIB], 3 * GIB, 2 * GIB)]) yield* Effect.flip(mustFit(large, 8192))
  }))

  it.effect("of many small files is as large as the blocks and inodes that they take", () => Effect.gen(function*() {
    // A mebibyte of content: 256 MiB of blocks, and all inodes of a gibibyte.
    const small = workspace(Array.from({ length: 65_536 }, () => 16))
    yield* mustFit(small, 2048)
    const { hint, message } = yield* Effect.flip(mustFit(small, 1024))
    assert.match(message, /: 65536 files, 256 MiB with history, on a disk of 1 GiB$/)
    assert.strictEqual(hint, "--disk-size 3G")
    yield* Effect.flip(mustFit(workspace(Array.from({ length: 30_000 }, () => 30_000)), 1024))
  }))

  it.effect("that does not is refused with a disk into which it does", () => Effect.gen(function*() {
    for (const bytes of [8 * GIB, 9.5 * GIB, 100 * GIB]) {
      const { hint } = yield* Effect.flip(mustFit(workspace([bytes]), 8192))
      const [, offered] = /^--disk-size (\d+)G$/.exec(hint) ?? []
      yield* mustFit(workspace([bytes]), Number(offered) * 1024)
    }
  }))
})
