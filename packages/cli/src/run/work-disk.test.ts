import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mustFit } from "./work-disk.ts"

const GIB = 2 ** 30
const workspace = (bytes: number, ...histories: ReadonlyArray<number>) =>
  ({ bytes, repositories: histories.map((bytes) => ({ history: { bytes } })) })

describe("a workspace", () => {
  it.effect("fits where its files and its histories do", () => Effect.gen(function*() {
    yield* mustFit(workspace(3 * GIB, 3 * GIB, GIB), 8192)
    for (const large of [workspace(9 * GIB), workspace(0, 8 * GIB), workspace(3 * GIB, 3 * GIB, 2 * GIB)]) yield* Effect.flip(mustFit(large, 8192))
  }))

  it.effect("that does not is refused with a disk into which it does", () => Effect.gen(function*() {
    for (const bytes of [8 * GIB, 9.5 * GIB, 100 * GIB]) {
      const { hint } = yield* Effect.flip(mustFit(workspace(bytes), 8192))
      const [, offered] = /^--disk-size (\d+)G$/.exec(hint) ?? []
      yield* mustFit(workspace(bytes), Number(offered) * 1024)
    }
  }))
})
