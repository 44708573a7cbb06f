import { createHash } from "node:crypto"
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { within } from "../testing/environment.ts"
import { arrived, asked, base, commit, git, guestGit, repository } from "../testing/repositories.ts"
import { temporary } from "./temporary.ts"
import { plan } from "./workspace.ts"

const write = (path: string | Buffer, text: string | Buffer) => writeFileSync(path, text)
const paths = (path: string, includeUntracked = false) =>
  Effect.map(Effect.scoped(plan(path, asked({ includeUntracked }))), ({ members }) => members.map((member) => member.path.toString("latin1")).toSorted())

let repo = ""

beforeAll(() => {
  const inner = repository("inner")
  write(`${inner}/in.txt`, "inner")
  commit(inner)
  repo = repository("repo")
  mkdirSync(`${repo}/sub/dir`, { recursive: true })
  for (const name of ["kept", "modified", "deleted", "-dash", "new\nline", "sub/dir/deep"]) write(`${repo}/${name}`, name)
  write(Buffer.concat([Buffer.from(`${repo}/`), Buffer.from([0xff, 0xfe])]), "not text")
  write(`${repo}/script`, "#!/bin/sh\n")
  chmodSync(`${repo}/script`, 0o755)
  symlinkSync("/etc/passwd", `${repo}/link`)
  mkdirSync(`${repo}/moved`)
  write(`${repo}/moved/secret`, "tracked")
  write(`${repo}/.gitignore`, "ignored\n")
  git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "mods/inner")
  commit(repo)
  git(repo, "remote", "add", "origin", "https://user:secret@example.org/repo.git")
  write(`${repo}/modified`, "changed since")
  unlinkSync(`${repo}/deleted`)
  write(`${repo}/staged`, "staged")
  git(repo, "add", "staged")
  write(`${repo}/untracked`, "untracked")
  write(`${repo}/ignored`, "ignored")
  write(`${repo}/mods/inner/untracked-inner`, "untracked")
  // A directory that became a link out of the work tree: git takes what it held for deleted.
  mkdirSync(`${base}/outside`)
  write(`${base}/outside/secret`, "the host's")
  renameSync(`${repo}/moved`, `${base}/moved`)
  symlinkSync(`${base}/outside`, `${repo}/moved`)
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const TRACKED = ["-dash", ".gitignore", ".gitmodules", "kept", "link", "modified", "mods/inner", "mods/inner/in.txt", "new\nline", "script", "staged", "sub/dir/deep", "\xff\xfe"]

describe("the files of a workspace", () => {
  it.effect("are those tracked, as they are now, with submodules", () =>
    Effect.map(paths(repo), (found) => assert.deepStrictEqual(found, [...TRACKED].toSorted())))

  it.effect("and the untracked ones on demand, but never the ignored", () =>
    Effect.map(paths(repo, true), (found) =>
      assert.deepStrictEqual(found, [...TRACKED, "untracked", "mods/inner/untracked-inner", "moved"].toSorted())))

  it.effect("keep modes and links, and are sized", () =>
    Effect.map(Effect.scoped(plan(repo, asked())), ({ bytes, members, target }) => {
      const found = (name: string) => members.find(({ path }) => path.toString("latin1") === name)
      assert.strictEqual(found("script")?.mode, 0o755)
      assert.strictEqual(found("link")?.kind, "symlink")
      assert.strictEqual(found("mods/inner")?.kind, "directory")
      assert.strictEqual(bytes, members.reduce((sum, member) => sum + member.bytes, 0))
      assert.strictEqual(target, "/root/repo")
    }))

  it.effect("are the whole repository's when a directory in it is named; the command starts there", () =>
    Effect.map(Effect.scoped(plan(`${repo}/sub/dir`, asked())), ({ cwd, members }) => {
      assert.strictEqual(cwd, "/root/repo/sub/dir")
      assert.strictEqual(members.length, TRACKED.length)
    }))

  it.effect("are not taken from the repository that the caller's environment names", () =>
    Effect.gen(function*() {
      process.env["GIT_DIR"] = "/nonexistent"
      process.env["GIT_INDEX_FILE"] = "/nonexistent"
      const found = yield* paths(repo).pipe(Effect.ensuring(Effect.sync(() => {
        delete process.env["GIT_DIR"]
        delete process.env["GIT_INDEX_FILE"]
      })))
      assert.strictEqual(found.length, TRACKED.length)
    }))
})

describe("what is not a work tree", () => {
  it.effect("is refused with what would make it one", () =>
    Effect.gen(function*() {
      mkdirSync(`${base}/plain`)
      const error = yield* Effect.flip(Effect.scoped(plan(`${base}/plain`, asked())))
      assert.strictEqual(error._tag, "NotAWorkTree")
      assert.match(error.hint, /git init/)
      assert.strictEqual((yield* Effect.flip(Effect.scoped(plan(`${base}/nowhere`, asked()))))._tag, "NotAWorkTree")
    }))

  it.effect("is a repository that names another directory of the user's", () =>
    Effect.gen(function*() {
      const hostile = repository("hostile")
      git(hostile, "config", "core.worktree", base)
      const error = yield* Effect.flip(Effect.scoped(plan(hostile, asked())))
      assert.strictEqual(error._tag, "NotAWorkTree")
    }))
})

const refused = (path: string, given: Parameters<typeof asked>[0] = {}) => Effect.flip(arrived(path, given))

describe("what cannot be sent is said before a VM is made", () => {
  it.effect("a damaged object", () =>
    Effect.gen(function*() {
      const damaged = repository("damaged")
      write(`${damaged}/file`, "x".repeat(1000))
      commit(damaged)
      const id = git(damaged, "rev-parse", "HEAD:file").trim()
      const file = `${damaged}/.git/objects/${id.slice(0, 2)}/${id.slice(2)}`
      const content = readFileSync(file)
      chmodSync(file, 0o644)
      write(file, content.subarray(0, 10))
      assert.deepInclude(yield* refused(damaged), { _tag: "GitFailed", fix: `git -C ${damaged} fsck says more, if the repository is damaged` })
      unlinkSync(file)
      assert.include((yield* refused(damaged)).message, `object ${id} is missing`)
    }))

  it.effect("a TMPDIR that is not there is done without, and one that has no room is named", () =>
    Effect.gen(function*() {
      const small = repository("small")
      write(`${small}/file`, "x")
      commit(small)
      yield* within({ TMPDIR: "/nonexistent" }, arrived(small))
      const error = yield* Effect.flip(Effect.scoped(temporary(2 ** 60)))
      assert.match(error.message, /no room for 1024 PiB|no room for 1048576 TiB/)
      assert.match(error.hint, /TMPDIR=DIR/)
    }))

  // The kernel lets root read everything, and only root give files away.
  it.effect.skipIf(process.geteuid?.() === 0)("a file that may not be read", () =>
    Effect.gen(function*() {
      const closed = repository("closed")
      write(`${closed}/file`, "x")
      commit(closed)
      chmodSync(`${closed}/file`, 0)
      assert.match((yield* refused(closed)).message, /"file" may not be read/)
    }))

  it.effect.skipIf(process.geteuid?.() !== 0)("a repository of another user, with git's own way out, which holds here, too", () =>
    Effect.gen(function*() {
      const foreign = repository("foreign")
      write(`${foreign}/file`, "x")
      commit(foreign)
      chownSync(foreign, 12345, 12345)
      const error = yield* refused(foreign)
      assert.match(error.message, /dubious ownership/)
      assert.strictEqual(error.hint, `git config --global --add safe.directory ${foreign}`)
      yield* within({ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" }, arrived(foreign))
      write(`${base}/gitconfig`, "[safe]\n\tdirectory = *\n")
      yield* within({ GIT_CONFIG_GLOBAL: `${base}/gitconfig` }, arrived(foreign))
    }))
})

/** An index in which a harmless name was exchanged for another of the same length. */
const forged = (directory: string, from: string, to: string) => {
  const file = `${directory}/.git/index`
  const bytes = readFileSync(file)
  bytes.write(to, bytes.indexOf(from), "latin1")
  createHash("sha1").update(bytes.subarray(0, -20)).digest().copy(bytes, bytes.length - 20)
  write(file, bytes)
}

describe("a hostile repository", () => {
  for (const name of ["../../host", "/abs/x/host", "a/../../hst", ".git/config", "a/.Git/conf", "./aaaa/host", "aa//aa/host", "aaa/aa/hos/"]) {
    it.effect(`does not send what its index calls ${name}`, () =>
      Effect.gen(function*() {
        const hostile = repository(`names-${name.replaceAll("/", "-")}`)
        const harmless = "aaaa/b/host"
        write(`${base}/host`, "the host's")
        git(hostile, "update-index", "--add", "--cacheinfo", `100644,e69de29bb2d1d6434b8b29ae775ad8c2e48c5391,${harmless}`)
        forged(hostile, harmless, name)
        assert.match((yield* refused(hostile)).message, /which leads out of it/)
      }))
  }

  it.effect("has no filter that could not be taken from it", () =>
    Effect.gen(function*() {
      const hostile = repository("equals")
      write(`${hostile}/.gitattributes`, "* filter=a=b\n")
      write(`${hostile}/file`, "x")
      commit(hostile)
      git(hostile, "config", "filter.a=b.clean", `touch ${base}/equalled`)
      assert.match((yield* refused(hostile)).message, /equals sign/)
      assert.isFalse(existsSync(`${base}/equalled`))
    }))


  it.effect("runs nothing of its own on the host", () =>
    Effect.gen(function*() {
      const hostile = repository("trap")
      write(`${hostile}/file`, "x")
      write(`${hostile}/.gitattributes`, "* filter=trap\n")
      commit(hostile)
      const trap = `touch ${base}/sprung; cat`
      for (const [key, value] of [["core.fsmonitor", trap], ["filter.trap.clean", trap], ["filter.trap.smudge", trap], ["core.sshCommand", trap], ["uploadpack.packObjectsHook", trap]] as const) {
        git(`${base}`, "-C", hostile, "config", key, value)
      }
      for (const hook of ["post-checkout", "reference-transaction", "post-index-change"]) {
        write(`${hostile}/.git/hooks/${hook}`, `#!/bin/sh\n${trap}\n`)
        chmodSync(`${hostile}/.git/hooks/${hook}`, 0o755)
      }
      write(`${hostile}/file`, "y")
      const target = yield* arrived(hostile)
      assert.isFalse(existsSync(`${base}/sprung`))
      assert.isFalse(existsSync(`${target}/.git/hooks`))
    }))
})

describe("in the guest", () => {
  it.effect("git status says what it says here, on the same branch and commit", () =>
    Effect.gen(function*() {
      const target = yield* arrived(repo)
      const lines = guestGit(target, "status", "--porcelain", "-z").split("\0").filter((line) => line !== "").toSorted()
      assert.deepStrictEqual(lines, [" D deleted", " D moved/secret", " M modified", "A  staged"])
      assert.strictEqual(guestGit(target, "rev-parse", "HEAD"), git(repo, "rev-parse", "HEAD"))
      assert.strictEqual(guestGit(target, "symbolic-ref", "HEAD"), "refs/heads/main\n")
      assert.strictEqual(guestGit(target, "rev-list", "--count", "HEAD"), "1\n")
      assert.strictEqual(guestGit(target, "config", "remote.origin.url"), "https://example.org/repo.git\n")
      assert.isFalse(existsSync(`${target}/.git/hooks`))
    }))

  it.effect("a branch begins at HEAD", () =>
    Effect.gen(function*() {
      const target = yield* arrived(repo, { branch: "topic/x" })
      assert.strictEqual(guestGit(target, "symbolic-ref", "HEAD"), "refs/heads/topic/x\n")
      assert.strictEqual(guestGit(target, "rev-parse", "HEAD"), git(repo, "rev-parse", "HEAD"))
    }))

  it.effect("a branch begins at another commit, with the files of that", () =>
    Effect.gen(function*() {
      const source = repository("history")
      for (const text of ["first", "second"]) {
        write(`${source}/file`, text)
        write(`${source}/${text}`, text)
        commit(source)
      }
      write(`${source}/file`, "not committed")
      const target = yield* arrived(source, { branch: "topic", from: "HEAD~1" })
      assert.strictEqual(guestGit(target, "rev-parse", "topic"), git(source, "rev-parse", "HEAD~1"))
      assert.strictEqual(guestGit(target, "status", "--porcelain"), "")
      assert.deepStrictEqual(readdirSync(target).toSorted(), [".git", "file", "first"])
      assert.deepStrictEqual((yield* Effect.scoped(plan(source, asked({ branch: "t", from: "HEAD~1" })))).members.map(({ bytes, path }) => [String(path), bytes]), [["file", 5], ["first", 5]])
      for (const ref of ["nothing", "--all"]) assert.strictEqual((yield* Effect.flip(Effect.scoped(plan(source, asked({ from: ref })))))._tag, "LocalFailure")
    }))

  it.effect("a repository without a commit, a detached HEAD, a linked and a sparse work tree arrive as they are", () =>
    Effect.gen(function*() {
      const empty = repository("empty")
      write(`${empty}/file`, "x")
      git(empty, "add", "file")
      assert.strictEqual(guestGit(yield* arrived(empty), "status", "--porcelain"), "A  file\n")

      const inner = `${base}/inner`
      git(inner, "worktree", "add", "-q", "--detach", `${base}/linked`)
      const linked = yield* arrived(`${base}/linked`)
      assert.strictEqual(guestGit(linked, "status", "--porcelain"), "")
      assert.strictEqual(guestGit(linked, "rev-parse", "HEAD"), git(inner, "rev-parse", "HEAD"))
      assert.throws(() => guestGit(linked, "symbolic-ref", "-q", "HEAD"))

      const sparse = repository("sparse")
      for (const name of ["a", "b"]) {
        mkdirSync(`${sparse}/${name}`)
        write(`${sparse}/${name}/file`, name)
      }
      commit(sparse)
      git(sparse, "sparse-checkout", "set", "a")
      assert.strictEqual(guestGit(yield* arrived(sparse), "status", "--porcelain"), "")
    }))
})
