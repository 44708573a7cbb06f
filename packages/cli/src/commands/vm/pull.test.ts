import { execFileSync, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { buildAgent, startAgent, type TestAgent } from "../../testing/agent.ts"
import { shipped, start } from "../../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon, view } from "../../testing/fake-daemon.ts"
import { arrived, base, commit, git, guestGit, home, repository } from "../../testing/repositories.ts"

const work = mkdtempSync(`${tmpdir()}/banger-pull-`)
const program = buildAgent(work)
const agents: Array<TestAgent> = []
let daemon: FakeDaemon
let banger: ReadonlyArray<string>

const begin = async (...wrapper: ReadonlyArray<string>) => {
  const agent = await startAgent(program ?? "", wrapper)
  agents.push(agent)
  return agent.socket
}
const GIT = "/usr/bin/git"
/** What begins a guest with another file in git's place: in mounts of its own, which takes root. */
const wrapper = (file: string) => ["unshare", "--mount", "sh", "-c", `mount --bind ${file} ${GIT} && exec "$@"`, "sh"]
const canReplace = spawnSync("unshare", ["--mount", "true"]).status === 0 && existsSync(GIT)
/** A guest whose git is a script, which has the real one as $GIT. */
const withGit = (name: string, script: string) => {
  writeFileSync(`${work}/${name}`, `#!/bin/sh\nGIT=${work}/git\n${script}\n`, { mode: 0o755 })
  return begin(...wrapper(`${work}/${name}`))
}

beforeAll(async () => {
  if (program === undefined) return
  banger = await shipped()
  const socket = await begin()
  daemon = await startFakeDaemon(`${work}/bangerd.sock`, socket, { consoleLog: "" })
  daemon.vms.push(view("other", socket))
  if (!canReplace) return
  copyFileSync(GIT, `${work}/git`)
  daemon.vms.push(
    view("bare", await begin(...wrapper("/dev/null"))),
    view("endless", await withGit("endless", `case "$*" in *show-toplevel*) pwd ;; *) exec yes ;; esac`)),
    view("chatty", await withGit("chatty", `[ "$1" != pack-objects ] || { $GIT "$@"; exec yes; }; exec $GIT "$@"`)),
    view("flood", await withGit("flood", `[ "$1" != pack-objects ] || { printf "PACK\\0\\0\\0\\002\\0\\0\\0\\001\\277\\377\\377\\377\\377\\377\\177"; exec cat /dev/urandom; }; exec $GIT "$@"`))
  )
}, 120_000)
afterAll(async () => {
  for (const agent of agents) agent.stop()
  await daemon?.stop()
  rmSync(work, { recursive: true, force: true })
  rmSync(base, { recursive: true, force: true })
})

const environment = { BANGER_SOCKET: `${work}/bangerd.sock`, HOME: home, GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@x", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@x" }
const run = (...words: ReadonlyArray<string>) => start([...banger, "vm", ...words], environment).ended

/** A repository with a commit and a change that is not committed, here and as it arrived in the guest. */
const pair = async (name: string) => {
  const here = repository(name)
  for (const file of ["one", "two"]) writeFileSync(`${here}/${file}`, `${file}\n`)
  commit(here)
  writeFileSync(`${here}/two`, "two, changed here\n")
  const there = await Effect.runPromise(arrived(here))
  return { here, there }
}
const commitIn = (there: string, text: string) => {
  writeFileSync(`${there}/one`, text)
  guestGit(there, "commit", "-qam", text)
}

/** Every file of a directory, with what is in it. */
const files = (directory: string): ReadonlyMap<string, string> =>
  new Map(readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "index").map((entry) => {
    const path = `${entry.parentPath}/${entry.name}`
    return [path, readFileSync(path, "latin1")]
  }))
const changedIn = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))

/** What is said when nothing is taken, and that nothing was. */
const refused = async (name: string, spoil: (there: string) => void, vm = "box", ...flags: ReadonlyArray<string>) => {
  const { here, there } = await pair(name)
  spoil(there)
  const before = files(here)
  const { status, stderr } = await run("pull", ...flags, `${vm}:${there}`, here)
  assert.deepStrictEqual(changedIn(before, files(here)), [], stderr)
  assert.deepStrictEqual(readdirSync(`${here}/.git/objects`).filter((name) => name.startsWith("tmp")), [])
  assert.strictEqual(status, 1, stderr)
  return stderr.split("\n")[0]
}

describe.skipIf(program === undefined)("vm diff", { timeout: 60_000 }, () => {
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

describe.skipIf(program === undefined)("vm pull", { timeout: 60_000 }, () => {
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

describe.skipIf(program === undefined)("vm diff and vm pull of unusual repositories", { timeout: 60_000 }, () => {
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

describe.skipIf(program === undefined)("vm pull of a hostile guest's repository", { timeout: 60_000 }, () => {
  /** A commit of a tree that git itself would not make. */
  const commitOf = (there: string, ...entries: ReadonlyArray<readonly [mode: string, name: string, content: string]>) => {
    const object = (type: string, input: Buffer | string) => execFileSync("git", ["hash-object", "--literally", "-w", "-t", type, "--stdin"], { cwd: there, input }).toString().trim()
    const tree = object("tree", Buffer.concat(entries.flatMap(([mode, name, content]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object("blob", content), "hex")])))
    guestGit(there, "update-ref", "HEAD", guestGit(there, "commit-tree", tree, "-p", "HEAD", "-m", "odd").trim())
  }
  it.concurrent("refuses trees that lead out, and submodules that are a trick", async () => {
    const { here, there } = await pair("leading-out")
    const head = guestGit(there, "rev-parse", "HEAD").trim()
    const before = files(here)
    for (const [mode, name, content] of [
      ["100644", ".git", "gitdir: /"],
      ["100644", ".GiT", "x"],
      ["100644", "..", "x"],
      ["100644", ".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n"],
      ["100644", ".gitmodules", "[submodule \"../x\"]\n\tpath = x\n\turl = x\n"],
      ["120000", ".gitmodules", "/etc/passwd"]
    ] as const) {
      guestGit(there, "update-ref", "HEAD", head)
      commitOf(there, [mode, name, content])
      const { status, stderr } = await run("pull", `box:${there}`, here)
      assert.match(stderr, /^banger: git refuses what box sends: (error: )?object [0-9a-f]{40}: /, content)
      assert.strictEqual(status, 1)
    }
    assert.deepStrictEqual(changedIn(before, files(here)), [])
    assert.deepStrictEqual(readdirSync(`${here}/.git/objects`).filter((name) => name.startsWith("tmp")), [])
  })

  it.concurrent("refuses commits whose files are not there", async () => {
    const said = await refused("incomplete", (there) => {
      commitIn(there, "gone\n")
      const blob = guestGit(there, "rev-parse", "HEAD:one").trim()
      rmSync(`${there}/.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`)
    })
    assert.match(said ?? "", /^banger: box: .*(unable to read|bad object|missing)/)
  })

  it.concurrent("ends one that sends more than was allowed", async () => {
    const large = await refused("large", (there) => {
      writeFileSync(`${there}/large`, randomBytes(3 << 20))
      guestGit(there, "add", "large")
      guestGit(there, "commit", "-qm", "large")
    }, "box", "--max-size", "1M")
    assert.strictEqual(large, "banger: box sends more than 1 MiB")
  })

  it.concurrent("runs nothing of its own here, and nothing of the host's repository", async () => {
    const { here, there } = await pair("hooked")
    const ran = `${base}/ran`
    for (const hook of ["reference-transaction", "post-update", "update"]) {
      writeFileSync(`${here}/.git/hooks/${hook}`, `#!/bin/sh\ntouch ${ran}\n`)
      chmodSync(`${here}/.git/hooks/${hook}`, 0o755)
    }
    commitIn(there, "x\n")
    assert.strictEqual((await run("pull", `box:${there}`, here)).status, 0)
    assert.isFalse(existsSync(ran))
    writeFileSync(`${base}/gpg`, `#!/bin/sh\ntouch ${ran}-gpg\n`, { mode: 0o755 })
    git(here, "config", "log.showSignature", "true")
    git(here, "config", "gpg.program", `${base}/gpg`)
    const id = execFileSync("git", ["hash-object", "-t", "commit", "-w", "--stdin"], { cwd: here, input: git(here, "cat-file", "commit", "HEAD").replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n -----END PGP SIGNATURE-----\n\n") })
    git(here, "branch", "signed", id.toString().trim())
    assert.match((await run("pull", "--branch", "signed", `box:${there}`, here)).stderr, /^banger: the branch signed has commits that box has not\n/)
    assert.isFalse(existsSync(`${ran}-gpg`))
    assert.strictEqual(statSync(`${here}/.git/hooks/update`).mode & 0o777, 0o755)
  })
})

describe.skipIf(program === undefined || !canReplace)("a guest with mounts of its own", { timeout: 60_000 }, () => {
  it.concurrent("ends one that talks without end, and does without one that has no git", async () => {
    assert.match(await refused("flooded", (there) => commitIn(there, "x\n"), "flood", "--max-size", "1M") ?? "", /^banger: (flood sends more than 1 MiB|git refuses what flood sends: )/)
    assert.strictEqual(await refused("endless", () => {}, "endless"), "banger: what endless says of its repository makes no sense")
    assert.strictEqual(await refused("chattered", (there) => commitIn(there, "x\n"), "chatty"), "banger: what chatty says of its repository makes no sense")
    assert.strictEqual(await refused("no-git", () => {}, "bare"), "banger: bare: its image has no git")
  })

  it.concurrent("has its one repository meant where none is named, and says which it has where there are several", async () => {
    const { here, there } = await pair("meant")
    commitIn(there, "guest's\n")
    const inRoot = (script: string) => begin("unshare", "--mount", "sh", "-c", `mount -t tmpfs none /root && ${script} && exec "$@"`, "sh")
    daemon.vms.push(view("none", await inRoot("true")), view("sole", await inRoot(`cp -a ${there} /root/app`)), view("both", await inRoot(`cp -a ${there} /root/app && cp -a ${there} /root/bpp`)))
    assert.strictEqual((await run("diff", "--stat", "sole")).stdout, " one | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n")
    const deleted = await run("delete", "--yes", "--force", "sole")
    assert.strictEqual(deleted.stderr.split("\n")[0], "sole has 1 commit in /root/app that nobody pulled; banger vm pull takes them over")
    assert.strictEqual((await run("pull", "sole", here)).status, 0)
    assert.notInclude((await run("delete", "--yes", "--force", "sole")).stderr, "nobody pulled")
    daemon.vms.push(view("hidden", await inRoot(`cp -a ${there} /root/.app`)))
    guestGit(there, "switch", "-q", "--orphan", "unborn")
    daemon.vms.push(view("orphan", await inRoot(`cp -a ${there} /root/app`)))
    assert.strictEqual((await run("diff", "hidden", "--", "--name-only", "one")).stdout, "one\n")
    assert.strictEqual((await run("delete", "--yes", "--force", "orphan")).stderr.split("\n")[0], "orphan has 1 commit in /root/app that nobody pulled; banger vm pull takes them over")
    const said = await Promise.all([run("diff", "none"), run("pull", "both", here)])
    assert.deepStrictEqual(said.map(({ stderr }) => stderr.split("\n")[0]), ["banger: none: no repository was sent to it", "banger: both: it has several repositories, /root/app and /root/bpp among them"])
  })
})
