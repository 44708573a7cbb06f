/** Of a program's header entry: the path of its dynamic linker. */
const PT_INTERP = 3

/** The dynamic linker that a 64-bit ELF program wants, from its first bytes; null for a static one and for what is no such program. */
export const interpreter = (program: Buffer): string | null => {
  if (program.length < 64 || program.readUInt32BE(0) !== 0x7f454c46 || program[4] !== 2 || program[5] !== 1) return null
  const table = Number(program.readBigUInt64LE(32))
  const size = program.readUInt16LE(54)
  for (let entry = 0; entry < program.readUInt16LE(56); entry++) {
    const at = table + entry * size
    if (at + 56 > program.length) return null
    if (program.readUInt32LE(at) !== PT_INTERP) continue
    const from = Number(program.readBigUInt64LE(at + 8))
    const path = program.subarray(from, from + Number(program.readBigUInt64LE(at + 32)))
    return path.toString("latin1").replace(/\0.*$/s, "") || "a dynamic linker"
  }
  return null
}
