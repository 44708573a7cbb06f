import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { VmName } from "@banger/domain/ids.ts"
import { DiskMib, Vcpu } from "@banger/domain/vm.ts"
import * as Values from "./values.ts"

const read = <A, I extends string>(schema: Schema.Schema<A, I>) => (text: string): A =>
  Either.getOrThrowWith(Values.decoder(schema)(text), (words) => new Error(words))

describe("values on the command line", () => {
  it("sizes", () => {
    const size = read(Values.mib(DiskMib))
    assert.strictEqual(size("512M"), 512)
    assert.strictEqual(size("16G"), 16_384)
    assert.strictEqual(size("1t"), 1_048_576)
    assert.strictEqual(size("2GiB"), 2_048)
    for (const wrong of ["", "16", "G", "-1G", "1.5G", "16 G", "1M", "99999T"]) assert.throws(() => size(wrong))
  })

  it("times", () => {
    const duration = read(Values.duration)
    assert.strictEqual(duration("30s"), 30_000)
    assert.strictEqual(duration("10m"), 600_000)
    assert.strictEqual(duration("250ms"), 250)
    for (const wrong of ["", "10", "0s", "m", "-1s", "999d"]) assert.throws(() => duration(wrong))
  })

  it("names and numbers, in the schema's own words", () => {
    assert.strictEqual(read(VmName)("brave-otter"), "brave-otter")
    assert.throws(() => read(VmName)("Brave"), /^expected a VM name/)
    assert.throws(() => read(Values.number(Vcpu))("3"), /^[^\n]*even number/)
    assert.throws(() => read(Values.number(Schema.Int))("two"), /^expected a number, not "two"$/)
    assert.throws(() => read(Values.text)(""), /^expected some text$/)
  })

  it("variables", () => {
    const variable = read(Values.variable)
    assert.deepStrictEqual(variable("A=b=c"), ["A", "b=c"])
    assert.deepStrictEqual(variable("EMPTY="), ["EMPTY", ""])
    assert.throws(() => variable("1A=b"))
    assert.throws(() => variable("NO_SUCH_VARIABLE_HERE"))
  })
})
