import { assert, it } from "@effect/vitest"
import { environmentOf } from "./run-config.ts"

const run = (env: ReadonlyArray<string>) => ({ env, entrypoint: [], cmd: [], workdir: "", user: "" })

it("an image's variables are those that are some", () => {
  assert.deepStrictEqual(environmentOf(run(["PATH=/a:/b", "EMPTY=", "NO", "=x", "A B=c", "TWO=1\n2", "ZERO=a\0b", "EQ=a=b"])), { PATH: "/a:/b", EMPTY: "", TWO: "1\n2", EQ: "a=b" })
  assert.deepStrictEqual(environmentOf(run([`LONG=${"x".repeat(1 << 20)}`])), {})
  assert.deepStrictEqual(environmentOf(null), {})
})
