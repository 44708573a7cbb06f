import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { canReplaceGit, changedIn, commitIn, files, makeGuests, pair } from "../../testing/guests.ts"
import { base, git, guestGit } from "../../testing/repositories.ts"

const { none, add, addWithGit, addWithScript, begin, refused, run } = makeGuests()

beforeAll(async () => {
  if (none || !canReplaceGit) return
  await addWithGit("bare", "/dev/null")
  await addWithScript("endless", `case "$*" in *show-toplevel*) pwd ;; *) exec yes ;; esac`)
  await addWithScript("chatty", `[ "$1" != pack-objects ] || { $GIT "$@"; exec yes; }; exec $GIT "$@"`)
  await addWithScript("flood", `[ "$1" != pack-objects ] || { printf "PACK\\0\\0\\0\\002\\0\\0\\0\\001\\277\\377\\377\\377\\377\\377\\177"; exec cat /dev/urandom; }; exec $GIT "$@"`)
})

describe.skipIf(none)("vm pull of a hostile guest's repository", { timeout: 60_000 }, () => {
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

describe.skipIf(none || !canReplaceGit)("a guest with mounts of its own", { timeout: 60_000 }, () => {
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
    add("none", await inRoot("true"))
    add("sole", await inRoot(`cp -a ${there} /root/app`))
    add("both", await inRoot(`cp -a ${there} /root/app && cp -a ${there} /root/bpp`))
    assert.strictEqual((await run("diff", "--stat", "sole")).stdout, " one | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n")
    const deleted = await run("delete", "--yes", "--force", "sole")
    assert.strictEqual(deleted.stderr.split("\n")[0], "sole has 1 commit in /root/app that nobody pulled; banger vm pull takes them over")
    assert.strictEqual((await run("pull", "sole", here)).status, 0)
    assert.notInclude((await run("delete", "--yes", "--force", "sole")).stderr, "nobody pulled")
    add("hidden", await inRoot(`cp -a ${there} /root/.app`))
    guestGit(there, "switch", "-q", "--orphan", "unborn")
    add("orphan", await inRoot(`cp -a ${there} /root/app`))
    assert.strictEqual((await run("diff", "hidden", "--", "--name-only", "one")).stdout, "one\n")
    assert.strictEqual((await run("delete", "--yes", "--force", "orphan")).stderr.split("\n")[0], "orphan has 1 commit in /root/app that nobody pulled; banger vm pull takes them over")
    const said = await Promise.all([run("diff", "none"), run("pull", "both", here)])
    assert.deepStrictEqual(said.map(({ stderr }) => stderr.split("\n")[0]), ["banger: none: no repository was sent to it", "banger: both: it has several repositories, /root/app and /root/bpp among them"])
  })
})
