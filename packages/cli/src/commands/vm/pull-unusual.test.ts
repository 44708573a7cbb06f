import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { changedIn, commitIn, files, makeGuests, pair } from "../../testing/guests.ts"
import { arrived, base, git, guestGit, repository } from "../../testing/repositories.ts"

const { none, run } = makeGuests()

describe.skipIf(none)("vm diff and vm pull of unusual repositories", { timeout: 60_000 }, () => {
  it.concurrent("take what follows a repository without a commit, and leave the branch that is checked out there alone", async () => {
    const here = repository("unborn")
    writeFileSync(`${here}/staged`, "x\n")
    git(here, "add", "staged")
    const there = await Effect.runPromise(arrived(here))
    guestGit(there, "commit", "-qam", "first")
    const onto = await run("pull", "--branch", "main", `box:${there}`, here)
    assert.strictEqual(onto.stderr.split("\n")[0], `banger: the branch main is checked out in ${here}, whose files are left alone`)
    assert.strictEqual((await run("pull", `box:${there}`, here)).stderr, "")
    assert.strictEqual(git(here, "log", "--format=%s", "banger/box"), "first\n")
  })

  it.concurrent("say which branch is in the way of another", async () => {
    const { here, there } = await pair("in-the-way")
    for (const name of ["banger", "foo/bar"]) git(here, "branch", name)
    const before = files(here)
    const said = [await run("pull", `box:${there}`, here), await run("pull", "--branch", "foo", `box:${there}`, here)]
    assert.deepStrictEqual(said.map(({ stderr }) => stderr.split("\n")[0]), ["banger: there can be no branch banger/box beside the branch banger", "banger: there can be no branch foo beside the branch foo/bar"])
    assert.deepStrictEqual(changedIn(before, files(here)), [])
  })

  it.concurrent("take paths with colons and quotes", async () => {
    const { here, there } = await pair("co:lo\"n\\")
    renameSync(there, `${there}:"`)
    commitIn(`${there}:"`, "x\n")
    assert.strictEqual((await run("diff", "--stat", `box:${there}:"`)).stdout, " one | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n")
    assert.strictEqual((await run("pull", `box:${there}:"`, here)).stderr, "")
  })

  it.concurrent("know what was sent in the guest's other work trees, too", async () => {
    const { here, there } = await pair("other-tree")
    guestGit(there, "worktree", "add", "-q", `${there}-other`, "-b", "side")
    commitIn(`${there}-other`, "x\n")
    assert.strictEqual((await run("diff", "--stat", `box:${there}-other`, "--", "one")).stdout, " one | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n")
    assert.strictEqual((await run("pull", `box:${there}-other`, here)).stderr, "")
    assert.strictEqual(readFileSync(`${there}/.git/BANGER_PULLED`, "latin1"), guestGit(`${there}-other`, "rev-parse", "HEAD"))
  })

  it.concurrent("say what git says of a directory that it refuses, and which file it cannot add", async () => {
    const { here, there } = await pair("unable")
    mkdirSync(`${there}/new`)
    guestGit(`${there}/new`, "init", "-q")
    mkdirSync(`${base}/plain`)
    const said = await Promise.all([run("diff", `box:${there}`), run("pull", "--worktree", `box:${there}`, here), run("pull", `box:${base}/plain`, here)])
    assert.deepStrictEqual(said.map(({ stderr }) => stderr.split("\n")[0]), [
      ...Array(2).fill("banger: box: 'new/' does not have a commit checked out"),
      "banger: box: not a git repository (or any of the parent directories): .git"
    ])
  })

  it.concurrent("give a patch whatever the guest's settings are", async () => {
    const { there } = await pair("settings")
    commitIn(there, "x\n")
    writeFileSync(`${there}/.git/info/attributes`, "one diff=upper\n")
    for (const [name, value] of [["diff.upper.textconv", "tr a-z A-Z <"], ["diff.noprefix", "true"], ["diff.external", "echo"]] as const) guestGit(there, "config", name, value)
    assert.match((await run("diff", `box:${there}`)).stdout, /^diff --git a\/one b\/one\n.*\n--- a\/one\n\+\+\+ b\/one\n@@ -1 \+1 @@\n-one\n\+x\n$/)
  })
})
