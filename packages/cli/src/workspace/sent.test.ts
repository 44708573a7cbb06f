import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { arrived, base, commit, git, guestGit, program, repository } from "../testing/repositories.ts"

afterAll(() => rmSync(base, { recursive: true, force: true }))

/** What the guest's repository says was sent, and what its files are. */
const said = (there: string) => {
  const sent = guestGit(there, "rev-parse", "BANGER_SENT^{tree}")
  guestGit(there, "add", "-A")
  return { sent, found: guestGit(there, "write-tree") }
}

const made = (name: string) => {
  const repo = repository(name)
  mkdirSync(`${repo}/directory`)
  for (const file of ["kept", "changed", "gone", "directory/inner"]) writeFileSync(`${repo}/${file}`, `${file}\n`)
  commit(repo)
  return repo
}

describe("what was sent", { timeout: 60_000 }, () => {
  it.effect("is HEAD where nothing is modified, and no ref either way", () =>
    Effect.gen(function*() {
      const repo = made("clean")
      const there = yield* arrived(repo)
      assert.strictEqual(guestGit(there, "rev-parse", "BANGER_SENT"), git(repo, "rev-parse", "HEAD"))
      writeFileSync(`${repo}/changed`, "anew\n")
      assert.strictEqual(guestGit(yield* arrived(repo), "for-each-ref"), git(repo, "for-each-ref"))
    }))

  it.effect("has what is modified, deleted, staged, untracked and sent, or a link in a directory's place", () =>
    Effect.gen(function*() {
      const repo = made("modified")
      writeFileSync(`${repo}/changed`, "anew\n")
      rmSync(`${repo}/gone`)
      writeFileSync(`${repo}/staged`, "")
      git(repo, "add", "staged")
      rmSync(`${repo}/directory`, { recursive: true })
      symlinkSync("/nowhere", `${repo}/directory`)
      git(repo, "add", "directory")
      writeFileSync(`${repo}/unknown`, "")
      for (const includeUntracked of [false, true]) {
        const { found, sent } = said(yield* arrived(repo, { includeUntracked }))
        assert.strictEqual(sent, found)
      }
    }))

  it.effect("is a commit without a parent before the first one, and that of --from where files are that one's", () =>
    Effect.gen(function*() {
      const unborn = repository("unborn")
      writeFileSync(`${unborn}/file`, "x")
      git(unborn, "add", "file")
      const there = yield* arrived(unborn)
      assert.strictEqual(guestGit(there, "log", "--format=%P", "BANGER_SENT").trim(), "")
      const { found, sent } = said(there)
      assert.strictEqual(sent, found)
      const repo = made("older")
      const first = git(repo, "rev-parse", "HEAD")
      writeFileSync(`${repo}/changed`, "second\n")
      commit(repo)
      writeFileSync(`${repo}/changed`, "third\n")
      assert.strictEqual(guestGit(yield* arrived(repo, { from: "HEAD~1", branch: "b" }), "rev-parse", "BANGER_SENT"), first)
    }))

  it.effect("is whole in the guest where the host's repository has all of it elsewhere: in a commit that was undone", () =>
    Effect.gen(function*() {
      const repo = made("undone")
      writeFileSync(`${repo}/changed`, "second\n")
      commit(repo)
      git(repo, "reset", "-q", "HEAD~1")
      const there = yield* arrived(repo)
      assert.strictEqual(guestGit(there, "show", "BANGER_SENT:changed"), "second\n")
    }))

  it.effect("has files in conflict as they are in the work tree", () =>
    Effect.gen(function*() {
      const repo = made("conflict")
      for (const [branch, name] of [["theirs", "kept-there"], ["main", "kept-here"]] as const) {
        git(repo, "switch", "-q", ...(branch === "theirs" ? ["-c"] : []), branch)
        git(repo, "mv", "kept", name)
        writeFileSync(`${repo}/changed`, `${branch}\n`)
        commit(repo)
      }
      assert.throws(() => git(repo, "merge", "theirs"))
      const { found, sent } = said(yield* arrived(repo))
      assert.strictEqual(sent, found)
    }))

  it.effect("is HEAD where git cannot take a file, and takes one whose line ends git would warn of", () =>
    Effect.gen(function*() {
      const repo = made("no-filter")
      git(repo, "config", "--global", "filter.missing.clean", "/nonexistent")
      git(repo, "config", "--global", "filter.missing.required", "true")
      writeFileSync(`${repo}/.git/info/attributes`, "changed filter=missing\n")
      writeFileSync(`${repo}/changed`, "other\n")
      assert.strictEqual(guestGit(yield* arrived(repo), "rev-parse", "BANGER_SENT"), git(repo, "rev-parse", "HEAD"))
      const ends = made("line-ends")
      git(ends, "config", "core.autocrlf", "true")
      git(ends, "config", "core.safecrlf", "true")
      writeFileSync(`${ends}/changed`, "one\ntwo\r\n")
      assert.strictEqual(guestGit(yield* arrived(ends), "show", "BANGER_SENT:changed"), "one\ntwo\n")
    }))

  it.effect("has files as the user's own filters make them", () =>
    Effect.gen(function*() {
      program("upper", "tr a-z A-Z")
      const repo = made("filtered")
      git(repo, "config", "--global", "filter.upper.clean", "upper")
      writeFileSync(`${repo}/.gitattributes`, "*.up filter=upper\n")
      writeFileSync(`${repo}/x.up`, "text")
      commit(repo)
      writeFileSync(`${repo}/x.up`, "other text")
      assert.strictEqual(guestGit(yield* arrived(repo), "show", "BANGER_SENT:x.up"), "OTHER TEXT")
    }))
})
