import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { VmName } from "@banger/domain/ids.ts"
import { DiskMib, Vcpu } from "@banger/domain/vm.ts"
import * as Decode from "./values.ts"
import * as Flags from "./flags.ts"
import { Misuse } from "./misuse.ts"

describe("values on the command line", () => {
  it("sizes", () => {
    const size = Decode.mib(DiskMib)
    assert.strictEqual(size("512M"), 512)
    assert.strictEqual(size("16G"), 16_384)
    assert.strictEqual(size("1t"), 1_048_576)
    assert.strictEqual(size("2GiB"), 2_048)
    for (const wrong of ["", "16", "G", "-1G", "1.5G", "16 G", "1M", "99999T"]) assert.throws(() => size(wrong))
  })

  it("times", () => {
    assert.strictEqual(Decode.duration("30s"), 30_000)
    assert.strictEqual(Decode.duration("10m"), 600_000)
    assert.strictEqual(Decode.duration("250ms"), 250)
    for (const wrong of ["", "10", "0s", "m", "-1s", "999d"]) assert.throws(() => Decode.duration(wrong))
  })

  it("names and numbers, in the schema's own words", () => {
    assert.strictEqual(Decode.as(VmName)("brave-otter"), "brave-otter")
    assert.throws(() => Decode.as(VmName)("Brave"), /expected a VM name/)
    assert.throws(() => Decode.number(Vcpu)("3"), /even number/)
    assert.throws(() => Decode.number(Schema.Int)("two"), /expected a number/)
  })

  it("variables", () => {
    assert.deepStrictEqual(Decode.variable("A=b=c"), ["A", "b=c"])
    assert.deepStrictEqual(Decode.variable("EMPTY="), ["EMPTY", ""])
    assert.throws(() => Decode.variable("1A=b"))
    assert.throws(() => Decode.variable("NO_SUCH_VARIABLE_HERE"))
  })
})

describe("flags", () => {
  const flags = {
    all: Flags.on("", "a"),
    nat: Flags.either(""),
    name: Flags.value("NAME", "", Decode.text, "n"),
    env: Flags.list("KEY=VAL", "", Decode.variable, "e")
  }
  const parse = (...args: ReadonlyArray<string>) => Flags.parseFlags(flags, args, "banger x --help")

  it("stand anywhere; the last of a kind counts, or all of a list", () => {
    const { positionals, values } = parse("one", "-a", "--name", "x", "two", "--name=y", "-e", "A=1", "--env=B=2", "--nat", "--no-nat")
    assert.deepStrictEqual(positionals, ["one", "two"])
    assert.deepStrictEqual(values, { all: true, nat: false, name: "y", env: [["A", "1"], ["B", "2"]] })
    assert.deepStrictEqual(parse().values, { all: false, nat: undefined, name: undefined, env: [] })
  })

  it("that are wrong are named", () => {
    for (const [args, message] of [
      [["--nam"], /unknown flag --nam/], [["-x"], /unknown flag -x/], [["--name"], /--name needs a value/], [["--name", "--all"], /--name needs a value/],
      [["--all=yes"], /--all takes no value/], [["--no-all"], /unknown flag --no-all/], [["-e", "="], /--env: expected KEY=VAL/], [["--toString"], /unknown flag/]
    ] as const) assert.throws(() => parse(...args), Misuse, message)
  })
})
