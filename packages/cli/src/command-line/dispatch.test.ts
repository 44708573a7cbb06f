import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { dispatch } from "./dispatch.ts"

/** What is written without running a command. */
const written = (line: string) => {
  const [out, err] = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockReturnValue(true))
  dispatch(line.split(" ").filter(Boolean))
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
    ["vm workspace --help", "vm workspace COMMAND"],
    ["help", "COMMAND"],
    ["", "COMMAND"],
    ["ls --help", "vm list"],
    ["rm box -h", "vm delete"]
  ])("is explained wherever help is asked for: %s", (line, path) => {
    const { stderr, stdout } = written(line)
    assert.isTrue(stdout.startsWith(`Usage: banger ${path}`), stdout)
    assert.strictEqual(stderr, "")
  })

  it.each([
    ["vm nothing", "there is no command \"vm nothing\"", "banger vm --help shows the commands"],
    ["vm lsit", "there is no command \"vm lsit\"", "did you mean banger vm list? banger vm --help shows the commands"],
    ["vm del", "there is no command \"vm del\"", "did you mean banger vm delete? banger vm --help shows the commands"],
    ["vm sta", "there is no command \"vm sta\"", "did you mean banger vm start or banger vm stats? banger vm --help shows the commands"],
    ["vm stap", "there is no command \"vm stap\"", "did you mean banger vm stop? banger vm --help shows the commands"],
    ["doktor", "there is no command \"doktor\"", "did you mean banger doctor? banger --help shows the commands"],
    ["rn", "there is no command \"rn\"", "did you mean banger run or banger rm? banger --help shows the commands"],
    ["nothing --all", "there is no command \"nothing\"", "banger --help shows the commands"],
    ["vm workspace prepar", "there is no command \"vm workspace prepar\"", "did you mean banger vm workspace prepare? banger vm workspace --help shows the commands"],
    ["vm console", "there is no command \"vm console\"", "did you mean banger vm logs? banger vm --help shows the commands"],
    ["vm build", "there is no command \"vm build\"", "did you mean banger image build? banger vm --help shows the commands"],
    ["image rm", "there is no command \"image rm\"", "did you mean banger image delete? banger image --help shows the commands"],
    ["inspect", "there is no command \"inspect\"", "did you mean banger vm show? banger --help shows the commands"],
    ["pull", "there is no command \"pull\"", "did you mean banger vm pull or banger image pull? banger --help shows the commands"],
    ["vm", "a command is missing", "banger vm --help shows the commands"]
  ])("is missed at its level, with status 2: %s", (line, problem, hint) =>
    assert.deepStrictEqual(written(line), { stdout: "", stderr: `banger: ${problem}\n  ${hint}\n`, status: 2 }))
})
