import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { dispatch } from "./dispatch.ts"

/** What is written without running a command. */
const written = (line: string) => {
  const [out, err] = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockReturnValue(true))
  dispatch(line.split(" "))
  return { stdout: out?.mock.calls.join("") ?? "", stderr: err?.mock.calls.join("") ?? "", status: process.exitCode }
}

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

describe("the command that words name", () => {
  it.each([
    ["vm run --rm --help", "vm run"],
    ["vm delete --yes -h", "vm delete"],
    ["vm exec box --help -- ls", "vm exec"],
    ["vm --help", "vm COMMAND"],
    ["help", "COMMAND"]
  ])("is explained wherever help is asked for: %s", (line, path) => {
    const { stderr, stdout } = written(line)
    assert.isTrue(stdout.startsWith(`Usage: banger ${path}`), stdout)
    assert.strictEqual(stderr, "")
  })

  it.each([
    ["vm bogus", "there is no command \"vm bogus\"", "banger vm --help shows the commands"],
    ["bogus --all", "there is no command \"bogus\"", "banger --help shows the commands"],
    ["vm", "a command is missing", "banger vm --help shows the commands"]
  ])("is missed at its level, with status 2: %s", (line, problem, hint) =>
    assert.deepStrictEqual(written(line), { stdout: "", stderr: `banger: ${problem}\n  ${hint}\n`, status: 2 }))
})
