import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { changedIn, commitIn, files, makeGuests, pair } from "../../testing/guests.ts"
import { base, repository } from "../../testing/repositories.ts"

const { none, run } = makeGuests()

describe.skipIf(none)("vm diff", { timeout: 60_000 }, () => {
  it.concurrent("shows what changed since the files were sent, and nothing that was changed here before", async () => {
    const { there } = await pair("diffed")
    const nothing = await run("diff", `box:${there}`)
    assert.deepStrictEqual([nothing.status, nothing.stdout, nothing.stderr], [0, "", ""])
    commitIn(there, "by the guest\n")
    writeFileSync(`${there}/new`, "new\n")
    writeFileSync(`${there}/.git/info/exclude`, "ignored\n")
    writeFileSync(`${there}/ignored`, "")
    const before = files(`${there}/.git`)
    const { status, stdout } = await run("diff", "--stat", `box:${there}`)
    assert.deepStrictEqual([status, stdout], [0, " new | 1 +\n one | 2 +-\n 2 files changed, 2 insertions(+), 1 deletion(-)\n"])
    assert.deepStrictEqual(changedIn(before, files(`${there}/.git`)), [])
  })

  it.concurrent("is a patch for git apply, and takes what git diff takes", async () => {
    const { there } = await pair("patched")
    writeFileSync(`${there}/bytes`, Buffer.from([0, 1, 2, 255]))
    const patch = await run("diff", `box:${there}`)
    const copy = `${base}/patched-copy`
    mkdirSync(copy)
    execFileSync("git", ["apply", "-"], { cwd: copy, input: patch.stdout })
    assert.deepStrictEqual([...readFileSync(`${copy}/bytes`)], [0, 1, 2, 255])
    assert.strictEqual((await run("diff", `box:${there}`, "--", "--name-only")).stdout, "bytes\n")
  })

  it.concurrent("says what it cannot compare", async () => {
    const stranger = repository("not-sent")
    const said = await Promise.all([run("diff", `box:${stranger}`), run("diff", `box:${base}/nowhere`)])
    assert.deepStrictEqual(said.map(({ status, stderr }) => [status, stderr.split("\n")[0]]), [
      [1, `banger: box: ${stranger} was not sent by banger, or git has forgotten what was`],
      [1, `banger: box: it has no directory ${base}/nowhere`]
    ])
  })
})
