import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { changedIn, commitIn, files, makeGuests, pair } from "../../testing/guests.ts"
import { arrived, commit, git, guestGit } from "../../testing/repositories.ts"

const { none, run } = makeGuests()

describe.skipIf(none)("vm pull", { timeout: 60_000 }, () => {
  it.concurrent("takes commits over, again and again, and changes nothing but objects and one branch", async () => {
    const { here, there } = await pair("pulled")
    const before = files(here)
    commitIn(there, "first\n")
    const first = await run("pull", `box:${there}`, here)
    assert.deepStrictEqual([first.status, first.stdout, first.stderr], [0, "1 commit in the branch banger/box: git log ..banger/box shows them, git merge banger/box takes them over\n", ""])
    commitIn(there, "second\n")
    assert.strictEqual((await run("pull", `box:${there}`, here)).status, 0)
    assert.strictEqual((await run("pull", `box:${there}`, here)).stdout, "banger/box has it all already\n")
    assert.strictEqual(git(here, "log", "--format=%s", "banger/box"), "second\nfirst\nx\n")
    const outside = changedIn(before, files(here)).filter((path) => !/^\/\.git\/objects\/pack\/pack-[0-9a-f]+\.(pack|idx|rev)$/.test(path.slice(here.length)))
    assert.deepStrictEqual(outside, [`${here}/.git/refs/heads/banger/box`])
    assert.deepStrictEqual(readdirSync(`${here}/.git/objects`).filter((name) => name.startsWith("tmp")), [])
  })

  it.concurrent("takes what is not committed, as a commit that later ones stand on", async () => {
    const { here, there } = await pair("work-tree")
    writeFileSync(`${there}/new`, "new\n")
    assert.strictEqual((await run("pull", "--worktree", `box:${there}`, here)).status, 0)
    assert.strictEqual(git(here, "show", "--format=%s", "--name-status", "banger/box"), "Uncommitted work in box\n\nA\tnew\nM\ttwo\n")
    assert.strictEqual((await run("pull", "--worktree", `box:${there}`, here)).stdout, "banger/box has it all already\n")
    guestGit(there, "add", "-A")
    guestGit(there, "commit", "-qm", "done")
    writeFileSync(`${there}/newer`, "newer\n")
    const again = await run("pull", "--worktree", `box:${there}`, here)
    assert.deepStrictEqual([again.status, again.stderr], [0, ""])
    assert.strictEqual(git(here, "diff", "--name-only", "main...banger/box"), "new\nnewer\ntwo\n")
    assert.deepStrictEqual(git(here, "log", "--format=%s", "--topo-order", "banger/box").split("\n").toSorted(), ["", "Uncommitted work in box", "Uncommitted work in box", "done", "x"])
    writeFileSync(`${there}/newer`, "newest\n")
    guestGit(there, "add", "-A")
    guestGit(there, "commit", "-qm", "all")
    assert.strictEqual((await run("pull", `box:${there}`, here)).status, 0)
    assert.strictEqual(git(here, "show", "banger/box:newer"), "newest\n")
  })

  it.concurrent("makes no branch of nothing, and names repositories within the other, whose commits stay there", async () => {
    const { here, there } = await pair("nothing")
    const before = files(here)
    for (const flags of [[], ["--worktree"]]) {
      assert.deepStrictEqual(await run("pull", ...flags, `box:${there}`, here).then(({ status, stderr, stdout }) => [status, stdout, stderr]), [0, "nothing is new there, and no branch was made\n", ""])
    }
    assert.deepStrictEqual(changedIn(before, files(here)), [])
    const inner = `${there}/inner`
    mkdirSync(inner)
    guestGit(inner, "init", "-q")
    guestGit(inner, "commit", "-q", "--allow-empty", "-m", "inner")
    const { stderr, stdout } = await run("pull", "--worktree", "--json", `box:${there}`, here)
    assert.deepStrictEqual(JSON.parse(stdout).repositories, ["inner"], stderr)
    assert.match(stderr, /^inner is a repository of its own, whose commits were not pulled/)
  })

  it.concurrent("refuses a branch whose uncommitted work somebody has amended here", async () => {
    const { here, there } = await pair("amended")
    writeFileSync(`${there}/new`, "new\n")
    assert.strictEqual((await run("pull", "--worktree", `box:${there}`, here)).status, 0)
    git(here, "stash", "-q")
    git(here, "switch", "-q", "banger/box")
    writeFileSync(`${here}/mine`, "")
    git(here, "add", "mine")
    git(here, "commit", "-q", "--amend", "--no-edit")
    git(here, "switch", "-q", "main")
    writeFileSync(`${there}/new`, "newer\n")
    assert.strictEqual((await run("pull", "--worktree", `box:${there}`, here)).stderr.split("\n")[0], "banger: the branch banger/box has commits that box has not")
  })

  it.concurrent("leaves alone what is checked out, and what has commits of its own", async () => {
    const { here, there } = await pair("kept")
    commitIn(there, "guest's\n")
    const onto = await run("pull", "--branch", "main", `box:${there}`, here)
    assert.deepStrictEqual([onto.status, onto.stderr.split("\n")[0]], [1, `banger: the branch main is checked out in ${here}, whose files are left alone`])
    assert.strictEqual((await run("pull", "--branch", "theirs", `box:${there}`, here)).status, 0)
    git(here, "stash", "-q")
    git(here, "switch", "-q", "theirs")
    writeFileSync(`${here}/mine`, "")
    commit(here, "mine")
    git(here, "switch", "-q", "main")
    commitIn(there, "guest's again\n")
    const tip = git(here, "rev-parse", "theirs")
    const over = await run("pull", "--branch", "theirs", `box:${there}`, here)
    assert.deepStrictEqual([over.status, over.stderr.split("\n")[0]], [1, "banger: the branch theirs has commits that box has not"])
    assert.strictEqual(git(here, "rev-parse", "theirs"), tip)
  })

  it.concurrent("takes two VMs' work on one repository into a branch each", async () => {
    const { here, there } = await pair("shared")
    const second = await Effect.runPromise(arrived(here))
    commitIn(there, "one\n1\n")
    commitIn(second, "one\n2\n")
    const ends = [await run("pull", `box:${there}`, here), await run("pull", `other:${second}`, here)]
    assert.deepStrictEqual(ends.map(({ status }) => status), [0, 0])
    assert.deepStrictEqual(["box", "other"].map((name) => git(here, "show", `banger/${name}:one`)), ["one\n1\n", "one\n2\n"])
  })

  it.concurrent("refuses a repository that the guest's is none of", async () => {
    const { there } = await pair("sent-one")
    const { here } = await pair("another-one")
    git(here, "commit", "-q", "--amend", "-m", "another")
    const { status, stderr } = await run("pull", `box:${there}`, here)
    assert.deepStrictEqual([status, stderr.split("\n")[0]], [1, `banger: ${here} is not the repository that was sent to box: it has none of its commits`])
  })
})
