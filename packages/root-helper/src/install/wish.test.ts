import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withCommands } from "../testing/commands.ts"

const ada = { name: "ada", uid: 1000, gid: 1000, home: "/home/ada" }

/** What is read of an owner's file whose reader says this, and the reader's command. */
const read = (answer: string | { readonly exitCode: number; readonly stderr: string }) =>
  Effect.gen(function*() {
    const asked: Array<string> = []
    const { readWish } = yield* Effect.promise(() => withCommands(({ CommandFailed }) => (argv) => {
      asked.push(argv.join(" "))
      return typeof answer === "string" ? Effect.succeed(answer) : new CommandFailed({ argv, ...answer })
    }, () => null, () => import("./wish.ts")))
    return { asked, said: yield* Effect.match(readWish(ada), { onSuccess: (wish) => JSON.stringify(wish), onFailure: ({ message }) => message }) }
  })

describe("the owner's file", () => {
  it.effect("is read as the owner, who may read no more than before, and gives the host's keys alone", () => Effect.gen(function*() {
    const { asked, said } = yield* read('default_image_name = "dev"\n[network]\nlan = true\n')
    assert.deepStrictEqual(asked, ["runuser -u ada -- timeout 10 head -c 1048577 -- /home/ada/.config/banger/config.toml"])
    assert.strictEqual(said, '{"network":{"lan":true}}')
  }))

  it.effect("that is not there wishes nothing; one that is wrong, never ends or cannot be read is named", () => Effect.gen(function*() {
    const of = (answer: Parameters<typeof read>[0]) => Effect.map(read(answer), ({ said }) => said)
    assert.strictEqual(yield* of({ exitCode: 1, stderr: "head: cannot open '/home/ada/.config/banger/config.toml' for reading: No such file or directory" }), "{}")
    assert.match(yield* of({ exitCode: 127, stderr: "runuser: failed to execute timeout: No such file or directory" }), /failed to execute timeout/)
    assert.strictEqual(yield* of("[netwrok]\n"), "/home/ada/.config/banger/config.toml: line 1: netwrok: there is no such key; did you mean network?")
    assert.strictEqual(yield* of({ exitCode: 124, stderr: "" }), "/home/ada/.config/banger/config.toml: it cannot be read to its end")
    assert.match(yield* of({ exitCode: 1, stderr: "head: error reading 'x': Is a directory" }), /config\.toml: runuser exited with 1: .*Is a directory/)
    assert.strictEqual(yield* of(" ".repeat((1 << 20) + 1)), "/home/ada/.config/banger/config.toml: it is larger than a mebibyte")
  }))
})
