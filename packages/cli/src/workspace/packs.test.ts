import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { arrived, asked, asUser, base, commit, git, guestGit, repository } from "../testing/repositories.ts"
import { planPacking } from "./packs.ts"
import { plan, prepare } from "./workspace.ts"

afterAll(() => rmSync(base, { recursive: true, force: true }))

/** What of a repository's history is sent from where it lies: directories and names. */
const ready = (path: string) =>
  plan(path, asked()).pipe(
    Effect.flatMap(({ repositories }) => Effect.forEach(repositories, ({ history, repository }) => planPacking(repository, history))),
    Effect.map((packings) => packings.flatMap(({ ready }) => ready)),
    Effect.scoped,
    asUser
  )

/** A repository whose history is one pack. */
const packed = (name: string) => {
  const directory = repository(name)
  writeFileSync(`${directory}/file`, name)
  commit(directory)
  git(directory, "repack", "-adq")
  return directory
}
const packsOf = (directory: string) => `${directory}/.git/objects/pack`

describe("packs that are sent as they lie on the disk", { timeout: 60_000 }, () => {
  it.effect("are regular files: what a link in their place leads to is not", () =>
    Effect.gen(function*() {
      const repo = packed("linked")
      assert.strictEqual((yield* ready(repo)).length, 1)
      for (const end of [".pack", ".idx"]) {
        const name = readdirSync(packsOf(repo)).find((name) => name.endsWith(end)) ?? ""
        renameSync(`${packsOf(repo)}/${name}`, `${base}/elsewhere${end}`)
        symlinkSync(`${base}/elsewhere${end}`, `${packsOf(repo)}/${name}`)
        assert.deepStrictEqual(yield* ready(repo), [], end)
        const there = yield* arrived(repo)
        assert.strictEqual(guestGit(there, "fsck", "--no-dangling"), "")
        rmSync(`${packsOf(repo)}/${name}`)
        renameSync(`${base}/elsewhere${end}`, `${packsOf(repo)}/${name}`)
      }
    }))

  it.effect("are found once where repositories lend to one another, however often they say so", () =>
    Effect.gen(function*() {
      const [one, other] = [packed("one"), packed("other")]
      for (const [from, to] of [[one, other], [other, one]] as const) {
        mkdirSync(`${from}/.git/objects/info`, { recursive: true })
        writeFileSync(`${from}/.git/objects/info/alternates`, `${to}/.git/objects\n`.repeat(1_000))
      }
      assert.deepStrictEqual((yield* ready(one)).map(({ directory }) => directory), [packsOf(one)])
    }))
})

describe("packs that are made", { timeout: 60_000 }, () => {
  it.effect("take no more than was asked for, also where an object is kept as a difference to one that stays here", () =>
    Effect.gen(function*() {
      const repo = repository("deltas")
      const model = randomBytes(4 << 20)
      for (const more of ["", "and more"]) {
        writeFileSync(`${repo}/model`, Buffer.concat([model, Buffer.from(more)]))
        commit(repo)
      }
      git(repo, "repack", "-adfq", "--window=10")
      git(repo, "checkout", "-q", "HEAD~1")
      const [asking, written] = yield* plan(repo, asked({ mode: "shallow" })).pipe(
        Effect.flatMap((workspace) =>
          Effect.gen(function*() {
            const packings = yield* Effect.forEach(workspace.repositories, ({ history, repository }) => planPacking(repository, history))
            const { directory } = yield* prepare(workspace)
            const packs = readdirSync(`${directory}/.git/objects/pack`).map((name) => statSync(`${directory}/.git/objects/pack/${name}`).size)
            return [packings.reduce((sum, { bytes }) => sum + bytes, 0), packs.reduce((sum, bytes) => sum + bytes, 0)] as const
          })),
        Effect.scoped,
        asUser
      )
      assert.isAbove(written, model.length)
      // Beside the objects a pack has an index, of a kilobyte and some bytes an object.
      assert.isAtLeast(asking + 4_096, written)
    }))
})
