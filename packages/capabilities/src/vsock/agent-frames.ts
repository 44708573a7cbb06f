/** The frames of an exec stream (docs/guest-protocol.md): one byte type, four bytes length, payload. */
export const HostFrame = { start: 0x01, stdin: 0x02, signal: 0x03, size: 0x04 } as const
export const GuestFrame = { started: 0x10, stdout: 0x11, stderr: 0x12, exit: 0x13, taken: 0x14 } as const

export interface Frame {
  readonly type: number
  readonly payload: Buffer
}

const HEADER = 5

/** Bytes. */
export const MAX_PAYLOAD = 1 << 20

/** What the guest sent is not what the protocol allows. */
export class BadFrame extends Error {}

export const encodeFrame = (type: number, payload: Uint8Array): Buffer => {
  if (payload.length > MAX_PAYLOAD) throw new BadFrame(`a frame of ${payload.length} bytes cannot be sent`)
  const frame = Buffer.allocUnsafe(HEADER + payload.length)
  frame.writeUInt8(type, 0)
  frame.writeUInt32BE(payload.length, 1)
  frame.set(payload, HEADER)
  return frame
}

/** Length of the frame that begins here, as far as its header tells. The length is checked before anything is held for it. */
const lengthOf = (bytes: Buffer): number => {
  if (bytes.length < HEADER) return HEADER
  const length = bytes.readUInt32BE(1)
  if (length <= MAX_PAYLOAD) return HEADER + length
  throw new BadFrame(`frame 0x${bytes.readUInt8(0).toString(16)} of ${length} bytes: at most ${MAX_PAYLOAD} are allowed`)
}

/** Cuts a stream into frames. It reads on only when a frame is asked for, so a slow reader slows the guest down. */
export async function* decodeFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame, void, void> {
  let held: Array<Buffer> = []
  let size = 0
  let wanted = HEADER
  for await (const chunk of chunks) {
    held.push(chunk)
    size += chunk.length
    if (size < wanted) continue
    let bytes = Buffer.concat(held, size)
    while (bytes.length >= (wanted = lengthOf(bytes))) {
      yield { type: bytes.readUInt8(0), payload: bytes.subarray(HEADER, wanted) }
      bytes = bytes.subarray(wanted)
    }
    held = [bytes]
    size = bytes.length
  }
  if (size > 0) throw new BadFrame("the stream ended within a frame")
}
