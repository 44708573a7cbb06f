import type * as fs from "node:fs/promises"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { logOf } from "./guest-script.ts"

it.effect("a guest that prints without end does not fill the disk with its log", () =>
  Effect.gen(function*() {
    let written = 0
    const write = (output: Uint8Array | string) => Promise.resolve(void (written += output.length))
    const log = logOf({ write } as unknown as fs.FileHandle)
    const piece = new Uint8Array(1 << 20)
    for (let piecesLeft = 80; piecesLeft > 0; piecesLeft--) yield* log(piece)
    assert.isBelow(written, (64 << 20) + 200)
  }))
