import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { BadFrame, decodeFrames, encodeFrame, type Frame, MAX_PAYLOAD } from "./agent-frames.ts"

const frame = FastCheck.record({ type: FastCheck.integer({ min: 0, max: 255 }), payload: FastCheck.uint8Array({ maxLength: 300 }) })

/** Cuts bytes into pieces of these lengths, again and again. */
async function* pieces(bytes: Buffer, lengths: ReadonlyArray<number>) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number
    yield bytes.subarray(at, at + length)
    at += length
  }
}

const all = async (frames: AsyncIterable<Frame>) => {
  const found: Array<Frame> = []
  for await (const one of frames) found.push(one)
  return found
}

const failure = (frames: AsyncIterable<Frame>) => all(frames).then(() => undefined, (error: unknown) => error)

describe("frames", () => {
  it("come out as they went in, however the stream is cut", () =>
    FastCheck.assert(FastCheck.asyncProperty(
      FastCheck.array(frame, { maxLength: 20 }),
      FastCheck.array(FastCheck.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
      async (sent, lengths) => {
        const stream = Buffer.concat(sent.map(({ payload, type }) => encodeFrame(type, payload)))
        const received = await all(decodeFrames(pieces(stream, lengths)))
        assert.deepStrictEqual(received.map(({ payload, type }) => ({ type, payload: [...payload] })), sent.map(({ payload, type }) => ({ type, payload: [...payload] })))
      }
    ), { numRuns: 200 }))

  it("cut short fail, at any place but between two", () =>
    FastCheck.assert(FastCheck.asyncProperty(frame, FastCheck.nat(), async ({ payload, type }, at) => {
      const whole = encodeFrame(type, payload)
      const error = await failure(decodeFrames(pieces(whole.subarray(0, 1 + at % (whole.length - 1)), [7])))
      assert.instanceOf(error, BadFrame)
    })))

  it("of a length that is not allowed are refused by their header alone", async () => {
    const header = Buffer.from([0x11, 0, 0x10, 0, 1])
    assert.strictEqual(header.readUInt32BE(1), MAX_PAYLOAD + 1)
    assert.instanceOf(await failure(decodeFrames(pieces(header, [5]))), BadFrame)
    assert.throws(() => encodeFrame(2, new Uint8Array(MAX_PAYLOAD + 1)), BadFrame)
  })

  it("of the greatest length arrive in any pieces without being copied for each", async () => {
    const began = performance.now()
    const [only] = await all(decodeFrames(pieces(encodeFrame(0x11, new Uint8Array(MAX_PAYLOAD)), [16])))
    assert.strictEqual(only?.payload.length, MAX_PAYLOAD)
    assert.isBelow(performance.now() - began, 2_000)
  })
})
