import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cleanEnvironment } from "./git.ts"
import { shallowHistory } from "./history.ts"
import { tar } from "./tar.ts"
import { plan } from "./workspace.ts"

const base = realpathSync(mkdtempSync(`${tmpdir()}/banger-workspace-`))
const identity = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@x", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@x", GIT_ALLOW_PROTOCOL: "file" }
const git = (directory: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", ...args], { cwd: directory, env: { ...cleanEnvironment(), ...identity }, stdio: "pipe" }).toString("latin1")
const write = (path: string | Buffer, text: string) => writeFileSync(path, text)
const repository = (name: string) => {
  mkdirSync(`${base}/${name}`)
  git(`${base}/${name}`, "init", "-q")
  return `${base}/${name}`
}
const commit = (directory: string) => {
  git(directory, "add", "-A")
  git(directory, "commit", "-qm", "x")
}
const paths = (path: string, untracked = false) =>
  Effect.map(plan(path, untracked), ({ members }) => members.map((member) => member.path.toString("latin1")).toSorted())

/** What arrives when the files and the history are unpacked as the guest does it. */
const arrived = (path: string, branch?: string, from?: string) =>
  Effect.gen(function*() {
    const workspace = yield* plan(path, false, from)
    const target = mkdtempSync(`${base}/arrived-`)
    const unpack = (directory: string, names: ReadonlyArray<Buffer>, recurse: boolean) =>
      Effect.flatMap(tar(directory, names, recurse), (stream) =>
        Effect.promise(async () => {
          const chunks: Array<Buffer> = []
          for await (const chunk of stream) chunks.push(chunk)
          execFileSync("tar", ["-x", "-p", "-C", target], { input: Buffer.concat(chunks) })
        }))
    const made = yield* shallowHistory(workspace.top, workspace.sparse, branch, workspace.from)
    yield* unpack(made, [Buffer.from(workspace.from === undefined ? ".git" : ".")], true)
    if (workspace.from === undefined) yield* unpack(workspace.top, workspace.members.map((member) => member.path), false)
    return target
  }).pipe(Effect.scoped)

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
  git(repo, "submodule", "--quiet", "add", inner, "mods/inner")
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
    Effect.map(plan(repo, false), ({ bytes, members, target }) => {
      const found = (name: string) => members.find(({ path }) => path.toString("latin1") === name)
      assert.strictEqual(found("script")?.mode, 0o755)
      assert.strictEqual(found("link")?.kind, "symlink")
      assert.strictEqual(found("mods/inner")?.kind, "directory")
      assert.strictEqual(bytes, members.reduce((sum, member) => sum + member.bytes, 0))
      assert.strictEqual(target, "/root/repo")
    }))

  it.effect("are the whole repository's when a directory in it is named; the command starts there", () =>
    Effect.map(plan(`${repo}/sub/dir`, false), ({ cwd, members }) => {
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
      const error = yield* Effect.flip(plan(`${base}/plain`, false))
      assert.strictEqual(error._tag, "NotAWorkTree")
      assert.match(error.hint, /git init/)
      assert.strictEqual((yield* Effect.flip(plan(`${base}/nowhere`, false)))._tag, "NotAWorkTree")
    }))

  it.effect("is a repository that names another directory of the user's", () =>
    Effect.gen(function*() {
      const hostile = repository("hostile")
      git(hostile, "config", "core.worktree", base)
      const error = yield* Effect.flip(plan(hostile, false))
      assert.strictEqual(error._tag, "NotAWorkTree")
    }))
})

describe("a hostile repository", () => {
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
      const lines = git(target, "status", "--porcelain", "-z").split("\0").filter((line) => line !== "").toSorted()
      // What is staged here is untracked there, since its content is in no commit.
      assert.deepStrictEqual(lines, [" D deleted", " D moved/secret", " M modified", "?? staged"])
      assert.strictEqual(git(target, "rev-parse", "HEAD"), git(repo, "rev-parse", "HEAD"))
      assert.strictEqual(git(target, "symbolic-ref", "HEAD"), "refs/heads/main\n")
      assert.strictEqual(git(target, "rev-list", "--count", "HEAD"), "1\n")
      assert.strictEqual(git(target, "config", "remote.origin.url"), "https://example.org/repo.git\n")
      assert.isFalse(existsSync(`${target}/.git/hooks`))
    }))

  it.effect("a branch begins at HEAD", () =>
    Effect.gen(function*() {
      const target = yield* arrived(repo, "topic/x")
      assert.strictEqual(git(target, "symbolic-ref", "HEAD"), "refs/heads/topic/x\n")
      assert.strictEqual(git(target, "rev-parse", "HEAD"), git(repo, "rev-parse", "HEAD"))
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
      const target = yield* arrived(source, "topic", "HEAD~1")
      assert.strictEqual(git(target, "rev-parse", "topic"), git(source, "rev-parse", "HEAD~1"))
      assert.strictEqual(git(target, "status", "--porcelain"), "")
      assert.deepStrictEqual(readdirSync(target).toSorted(), [".git", "file", "first"])
      assert.deepStrictEqual((yield* plan(source, false, "HEAD~1")).members.map(({ bytes, path }) => [String(path), bytes]), [["file", 5], ["first", 5]])
      for (const ref of ["nothing", "--all"]) assert.strictEqual((yield* Effect.flip(plan(source, false, ref)))._tag, "LocalFailure")
    }))

  it.effect("a repository without a commit, a detached HEAD, a linked and a sparse work tree arrive as they are", () =>
    Effect.gen(function*() {
      const empty = repository("empty")
      write(`${empty}/file`, "x")
      git(empty, "add", "file")
      assert.strictEqual(git(yield* arrived(empty), "status", "--porcelain"), "?? file\n")

      const inner = `${base}/inner`
      git(inner, "worktree", "add", "-q", "--detach", `${base}/linked`)
      const linked = yield* arrived(`${base}/linked`)
      assert.strictEqual(git(linked, "status", "--porcelain"), "")
      assert.strictEqual(git(linked, "rev-parse", "HEAD"), git(inner, "rev-parse", "HEAD"))
      assert.throws(() => git(linked, "symbolic-ref", "-q", "HEAD"))

      const sparse = repository("sparse")
      for (const name of ["a", "b"]) {
        mkdirSync(`${sparse}/${name}`)
        write(`${sparse}/${name}/file`, name)
      }
      commit(sparse)
      git(sparse, "sparse-checkout", "set", "a")
      assert.strictEqual(git(yield* arrived(sparse), "status", "--porcelain"), "")
    }))
})
