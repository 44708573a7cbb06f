import { execFileSync } from "node:child_process"
import { appendFileSync, chmodSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { arrived, asked, asUser, base, bothSides, commit, git, guestGit, home, program, repository } from "../testing/repositories.ts"
import type { Asked } from "./workspace.ts"
import { plan } from "./workspace.ts"

const write = (path: string, text: string | Buffer) => writeFileSync(path, text)
const same = (path: string, given: Partial<Asked> = {}) =>
  Effect.map(bothSides(path, given), ({ guest, host, there }) => {
    assert.deepStrictEqual(guest, host)
    return there
  })
const objects = (directory: string) => guestGit(directory, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").trim().split("\n")

beforeAll(() => {
  // Filters that the user set up, as git lfs install does; the guest has no such program.
  program("pointer", "sed s/.*/pointer/")
  program("content", "sed s/pointer/content/")
  git(home, "config", "--global", "filter.large.clean", "pointer")
  git(home, "config", "--global", "filter.large.smudge", "content")
  git(home, "config", "--global", "filter.large.required", "true")
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** As old as a checkout of yesterday: git need not look at the content. */
const old = (...paths: ReadonlyArray<string>) => {
  for (const path of paths) utimesSync(path, 1_700_000_000, 1_700_000_000)
}

describe("what git says of files is the same in the guest", { timeout: 60_000 }, () => {
  it.effect("whatever filters, attributes and states there are", () =>
    Effect.gen(function*() {
      const repo = repository("filters")
      git(repo, "config", "filter.own.clean", "pointer")
      git(repo, "config", "filter.own.required", "true")
      write(`${repo}/.gitattributes`, "*.bin filter=large -text\n*.own filter=own\n*.id ident\n*.utf16 working-tree-encoding=UTF-16LE\n*.crlf text eol=crlf\n")
      for (const name of ["clean.bin", "touched.bin", "longer.bin", "same.bin", "gone.bin", "clean.own", "new.own"]) write(`${repo}/${name}`, "content\n")
      for (const name of ["assumed", "staged", "half", "executable", "kept"]) write(`${repo}/${name}`, `${name}\n`)
      write(`${repo}/a.id`, "$Id$\n")
      write(`${repo}/a.utf16`, Buffer.from("text\n", "utf16le"))
      write(`${repo}/a.crlf`, "a\r\nb\r\n")
      old(...readdirSync(repo).filter((name) => name !== ".git" && name !== "new.own").map((name) => `${repo}/${name}`))
      commit(repo)
      rmSync(`${repo}/a.id`)
      git(repo, "checkout", "-q", "a.id")
      git(repo, "update-index", "--assume-unchanged", "assumed")
      mkdirSync(`${repo}/.git/info`, { recursive: true })
      appendFileSync(`${repo}/.git/info/attributes`, "*.md text eol=crlf\n")
      write(`${repo}/r.md`, "a\r\nb\r\n")
      commit(repo)
      assert.strictEqual(git(repo, "status", "--porcelain"), "")
      write(`${repo}/assumed`, "mine\n")
      const clean = yield* same(repo)
      assert.strictEqual(guestGit(clean, "status", "--porcelain"), "")
      assert.strictEqual(readFileSync(`${clean}/clean.bin`, "utf8"), "content\n")

      // Changed in every way, with times that say nothing.
      utimesSync(`${repo}/touched.bin`, 1_700_000_001, 1_700_000_001)
      write(`${repo}/longer.bin`, "content\nmore\n")
      write(`${repo}/same.bin`, "\x00ontent\n\n")
      write(`${repo}/same.bin`, "a\nbcdef\n")
      rmSync(`${repo}/gone.bin`)
      write(`${repo}/staged`, "other\n")
      write(`${repo}/half`, "one\n")
      git(repo, "add", "staged", "half")
      write(`${repo}/half`, "two\n")
      chmodSync(`${repo}/executable`, 0o755)
      write(`${repo}/intended`, "x\n")
      git(repo, "add", "--intent-to-add", "intended")
      rmSync(`${repo}/kept`)
      symlinkSync("staged", `${repo}/kept`)
      yield* same(repo)
      // The answer has not hung on the host's index having been refreshed by `status`.
      yield* same(repo)
    }))

  it.effect("whatever the user's own settings are", () =>
    Effect.gen(function*() {
      const repo = repository("settings")
      for (const [name, value] of [["core.autocrlf", "true"], ["core.quotePath", "false"], ["core.abbrev", "12"], ["core.fileMode", "false"], ["status.relativePaths", "false"]] as const) {
        git(repo, "config", name, value)
      }
      mkdirSync(`${home}/.config/git`, { recursive: true })
      write(`${home}/.config/git/attributes`, "*.dat filter=large\n*.lf text eol=lf\n")
      write(`${home}/.config/git/ignore`, "*.mine\n")
      write(`${repo}/a.txt`, "a\r\n")
      write(`${repo}/a.dat`, "content\n")
      write(`${repo}/a.lf`, "a\n")
      write(`${repo}/\u00e4`, "x")
      commit(repo)
      chmodSync(`${repo}/a.lf`, 0o755)
      write(`${repo}/\u00e4`, "y")
      const there = yield* same(repo)
      write(`${there}/b.mine`, "ignored here, and there")
      assert.notInclude(guestGit(there, "status", "--porcelain"), "b.mine")
      rmSync(`${home}/.config`, { recursive: true })
    }))

  it.effect("in a conflict, a split index, sha256, links between files, and without any commit", () =>
    Effect.gen(function*() {
      const repo = repository("conflict", "--object-format=sha256")
      git(repo, "config", "core.splitIndex", "true")
      git(repo, "config", "core.untrackedCache", "true")
      write(`${repo}/both`, "base\n")
      symlinkSync("both", `${repo}/link`)
      linkSync(`${repo}/both`, `${repo}/twin`)
      linkSync(`${repo}/link`, `${repo}/link-twin`)
      commit(repo)
      git(repo, "checkout", "-qb", "other")
      rmSync(`${repo}/both`)
      write(`${repo}/both`, "theirs\n")
      commit(repo)
      git(repo, "checkout", "-q", "main")
      rmSync(`${repo}/both`)
      write(`${repo}/both`, "ours\n")
      commit(repo)
      assert.throws(() => git(repo, "merge", "-q", "other"))
      yield* same(repo)
      const intended = repository("intended")
      git(intended, "update-index", "--add", "--cacheinfo", "100644,e69de29bb2d1d6434b8b29ae775ad8c2e48c5391,empty")
      write(`${intended}/empty`, "")
      assert.strictEqual(guestGit(yield* arrived(intended), "status", "--porcelain"), git(intended, "status", "--porcelain"))
      const fresh = repository("fresh")
      write(`${fresh}/a`, "x")
      git(fresh, "add", "a")
      const there = yield* arrived(fresh)
      assert.strictEqual(guestGit(there, "status", "--porcelain=v2", "-b"), git(fresh, "status", "--porcelain=v2", "-b"))
      yield* arrived(repository("nothing"))
    }))
})

describe("history", { timeout: 60_000 }, () => {
  const repo = () => `${base}/history`
  beforeAll(() => {
    repository("history")
    for (const text of ["one", "two", "three"]) {
      write(`${repo()}/file`, text)
      commit(repo(), text)
      git(repo(), "tag", text === "two" ? "light" : `v-${text}`, ...(text === "one" ? ["-a", "-m", "x"] : []))
    }
    git(repo(), "checkout", "-qb", "side", "HEAD~1")
    write(`${repo()}/secret`, "of another branch")
    commit(repo())
    git(repo(), "tag", "elsewhere")
    git(repo(), "checkout", "-q", "main")
    git(repo(), "remote", "add", "origin", "ssh://git:secret@example.org/r")
    git(repo(), "update-ref", "refs/remotes/origin/main", "HEAD~1")
    git(repo(), "branch", "-q", "--set-upstream-to=origin/main")
  })

  it.effect("is HEAD's, whole, with its tags and upstream, and nothing of other branches", () =>
    Effect.gen(function*() {
      for (const packed of [false, true]) {
        if (packed) git(repo(), "gc", "-q")
        const there = yield* same(repo())
        assert.strictEqual(guestGit(there, "log", "--format=%s"), "three\ntwo\none\n")
        assert.strictEqual(guestGit(there, "tag"), "light\nv-one\nv-three\n")
        assert.notInclude(objects(there), git(repo(), "rev-parse", "side:secret").trim())
        assert.strictEqual(guestGit(there, "config", "remote.origin.url"), "ssh://git@example.org/r\n")
      }
    }))

  it.effect("goes as the packs that are there, where these hold nothing else", () =>
    Effect.gen(function*() {
      git(base, "clone", "-q", "--single-branch", `file://${repo()}`, `${base}/cloned`)
      const packs = (at: string) => readdirSync(`${at}/.git/objects/pack`).filter((name) => name.endsWith(".pack")).toSorted()
      const [one] = packs(`${base}/cloned`)
      write(`${base}/cloned/more`, "loose")
      commit(`${base}/cloned`)
      const there = yield* same(`${base}/cloned`)
      assert.include(packs(there), one)
      assert.strictEqual(packs(there).length, 2)
      // Borrowed ones, too.
      git(base, "clone", "-q", "--shared", `${base}/cloned`, `${base}/borrower`)
      assert.include(packs(yield* same(`${base}/borrower`)), one)
    }))

  it.effect("is one commit with its tags where that is asked for, or the source is no more", () =>
    Effect.gen(function*() {
      const there = yield* arrived(repo(), { mode: "shallow" })
      assert.strictEqual(guestGit(there, "log", "--format=%s"), "three\n")
      assert.strictEqual(guestGit(there, "tag"), "v-three\n")
      assert.strictEqual(guestGit(there, "status", "--porcelain"), "")
      guestGit(there, "fsck")
      git(base, "clone", "-q", "--depth=2", `file://${repo()}`, `${base}/shallow`)
      const again = yield* same(`${base}/shallow`)
      assert.strictEqual(guestGit(again, "log", "--format=%s"), "three\ntwo\n")
    }))

  it.effect("is one commit where all of it is large, in auto", () =>
    Effect.gen(function*() {
      const large = repository("large")
      git(large, "config", "core.compression", "0")
      for (const letter of ["a", "b"]) {
        write(`${large}/file`, Buffer.alloc(60 << 20, letter))
        commit(large)
      }
      const mode = (given: Partial<Asked>) => Effect.map(Effect.scoped(plan(large, asked(given))), ({ repositories }) => repositories[0]?.history.mode)
      assert.deepStrictEqual([yield* mode({}), yield* mode({ mode: "full" })], ["shallow", "full"])
    }))

  it.effect("keeps what git was told to take in its place", () =>
    Effect.gen(function*() {
      const parent = git(repo(), "rev-parse", "HEAD~1").trim()
      git(repo(), "replace", "--graft", "HEAD~1")
      const there = yield* arrived(repo())
      assert.strictEqual(guestGit(there, "log", "--format=%s"), "three\ntwo\n")
      assert.strictEqual(guestGit(there, "--no-replace-objects", "log", "--format=%s"), "three\ntwo\none\n")
      git(repo(), "replace", "-d", parent)
    }))
})

describe("partial and sparse clones", { timeout: 60_000 }, () => {
  it.effect("stay what they are", () =>
    Effect.gen(function*() {
      const up = repository("up")
      for (const name of ["a", "b"]) {
        mkdirSync(`${up}/${name}`)
        write(`${up}/${name}/x`, name.repeat(100))
      }
      write(`${up}/top`, "t")
      commit(up)
      write(`${up}/top`, "t2")
      commit(up)
      git(up, "config", "uploadpack.allowFilter", "true")
      for (const filter of ["blob:none", "tree:0"]) {
        const mono = `${base}/mono-${filter.slice(0, 4)}`
        git(base, "clone", "-q", `--filter=${filter}`, "--sparse", `file://${up}`, mono)
        git(mono, "sparse-checkout", "set", "--sparse-index", "a")
        const there = yield* same(mono)
        assert.deepStrictEqual(readdirSync(there).toSorted(), [".git", "a", "top"])
        const from = yield* arrived(mono, { branch: "topic", from: "HEAD" })
        assert.deepStrictEqual(readdirSync(from).toSorted(), [".git", "a", "top"])
        assert.strictEqual(guestGit(from, "status", "--porcelain"), "")
      }
      const error = yield* Effect.flip(Effect.scoped(asUser(plan(`${base}/mono-blob`, asked({ branch: "topic", from: "HEAD~1" })))))
      assert.match(error.message, /has not all files/)
    }))
})

describe("submodules", { timeout: 60_000 }, () => {
  it.effect("are repositories of their own, nested and old ones too, and need no network", () =>
    Effect.gen(function*() {
      const add = (where: string, from: string, at: string) => git(where, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", `the ${at}`, from, at)
      const deep = repository("deep")
      write(`${deep}/f`, "x")
      commit(deep)
      const inner = repository("middle")
      write(`${inner}/f`, "x")
      add(inner, deep, "lib/deep")
      commit(inner)
      git(inner, "tag", "-a", "-m", "x", "v1")
      const outer = repository("outer")
      for (const at of ["mods/one", "mods/not", "mods/old"]) add(outer, inner, at)
      // One that keeps its repository in its directory.
      rmSync(`${outer}/mods/old`, { recursive: true })
      git(outer, "clone", "-q", `file://${inner}`, "mods/old")
      commit(outer)
      git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive", "mods/one")
      git(outer, "submodule", "--quiet", "deinit", "-f", "mods/not")
      git(outer, "config", "submodule.the mods/one.url", "https://token@example.org/inner")
      const there = yield* same(outer)
      assert.strictEqual(guestGit(`${there}/mods/one`, "rev-parse", "HEAD"), git(inner, "rev-parse", "HEAD"))
      assert.strictEqual(guestGit(`${there}/mods/one`, "describe"), "v1\n")
      assert.strictEqual(guestGit(there, "config", "submodule.the mods/one.url"), "https://example.org/inner\n")
      guestGit(there, "submodule", "update", "--init", "--recursive", "mods/one")
      assert.isFalse(existsSync(`${there}/mods/not/f`))
      renameSync(there, `${there}-moved`)
      guestGit(`${there}-moved`, "submodule", "status", "--recursive")

      write(`${outer}/mods/one/f`, "changed")
      write(`${outer}/mods/old/g`, "new")
      commit(`${outer}/mods/old`)
      yield* same(outer)
    }))

  it.effect("are refused when their repository is another one of the user's", () =>
    Effect.gen(function*() {
      const outer = repository("thief")
      const victim = repository("victim")
      write(`${victim}/secret`, "x")
      commit(victim)
      mkdirSync(`${outer}/sub`)
      git(outer, "update-index", "--add", "--cacheinfo", `160000,${git(victim, "rev-parse", "HEAD").trim()},sub`)
      write(`${outer}/sub/.git`, `gitdir: ${victim}/.git\n`)
      assert.match((yield* Effect.flip(arrived(outer))).message, /keeps its repository elsewhere/)
    }))

  it.effect("have their repository inside of ours, whatever .gitmodules calls them", () =>
    Effect.gen(function*() {
      const outer = repository("astray")
      const inner = repository("astray/sub")
      write(`${inner}/f`, "x")
      commit(inner)
      git(outer, "update-index", "--add", "--cacheinfo", `160000,${git(inner, "rev-parse", "HEAD").trim()},sub`)
      for (const name of ["../../x", "..", "a/../../../x", "/x", "."]) {
        write(`${outer}/.gitmodules`, `[submodule "${name}"]\n\tpath = sub\n`)
        const { repositories } = yield* Effect.scoped(asUser(plan(outer, asked())))
        assert.deepStrictEqual(repositories.map(({ gitDir }) => gitDir), [".git", ".git/modules/sub"], name)
      }
    }))
})

describe("what the host keeps", () => {
  it.effect("is not sent through links in a repository, nor through files that its configuration names", () =>
    Effect.gen(function*() {
      const repo = repository("linked-settings")
      write(`${base}/private`, "# the host's own\n")
      write(`${repo}/f`, "x")
      commit(repo)
      for (const name of ["exclude", "attributes", "sparse-checkout", "grafts"]) {
        rmSync(`${repo}/.git/info/${name}`, { force: true })
        symlinkSync(`${base}/private`, `${repo}/.git/info/${name}`)
      }
      git(repo, "config", "core.excludesFile", `${base}/private`)
      git(repo, "config", "core.attributesFile", `${base}/private`)
      git(repo, "config", "credential.helper", "!the-host's-own")
      git(repo, "config", "http.extraHeader", "the host's own")
      const there = yield* arrived(repo)
      assert.strictEqual(execFileSync("sh", ["-c", "grep -rl \"the.host's.own\" . || true"], { cwd: there }).toString(), "")
    }))
})
