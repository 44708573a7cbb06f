import { randomBytes } from "node:crypto"
import { readdirSync, readlinkSync, realpathSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { run } from "@banger/capabilities/exec.ts"
import { file, syncDirectory, wholly, writeWhole } from "@banger/capabilities/files.ts"
import { keepReserve, Reserve } from "@banger/capabilities/reserve.ts"
import { toolPath } from "@banger/capabilities/tool.ts"
import * as Effect from "effect/Effect"
import type { Step } from "./step.ts"

/** What an install puts into a directory of its own. */
export interface Release {
  /** The build or release that it is a copy of. */
  readonly source: string
  readonly version: string
  /** Bytes that the disk of the VMs keeps free. */
  readonly reserveBytes: number
  /** The directory of all installs. */
  readonly library: string
  /** Where an install lies that is older than the link `current`. */
  readonly before: string | undefined
  /** Bundles of the user's own that take the place of banger's (docs/custom-capabilities.md), by their name in lib/. */
  readonly replacements: ReadonlyArray<{ readonly from: string; readonly name: string }>
  /** Looks at the whole copy before it is exchanged, and may refuse it. */
  readonly accept: (directory: string) => Effect.Effect<unknown, { readonly message: string }>
}

/** The copier's file for all to read, and nobody else's to change, whatever the umask of the build was. */
const place = async (from: string, to: string) => {
  await fs.copyFile(from, to)
  const handle = await fs.open(to, "r+")
  try {
    const { mode } = await handle.stat()
    await handle.chmod((mode & 0o111) === 0 ? 0o644 : 0o755)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const copyTree = async (from: string, to: string): Promise<void> => {
  await fs.mkdir(to)
  await fs.chmod(to, 0o755)
  for (const entry of await fs.readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target)
    else if (entry.isFile()) await place(source, target)
    else throw new Error(`${source} is neither a file nor a directory`)
  }
  await syncDirectory(to)
}

const treeBytes = async (directory: string): Promise<number> => {
  const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => fs.stat(path.join(entry.parentPath, entry.name)).then(({ size }) => size)))
  return sizes.reduce((all, size) => all + size, 0)
}

/** A symbolic link, exchanged in one step. */
export const exchange = (target: string, at: string) =>
  file(at, async () => {
    await fs.rm(`${at}.new`, { force: true })
    await fs.symlink(target, `${at}.new`)
    await fs.rename(`${at}.new`, at)
    await syncDirectory(path.dirname(at))
  })

/** The name that a link of the library leads to, or undefined. */
const target = (link: string): string | undefined => {
  try {
    return path.basename(realpathSync(link))
  } catch {
    return undefined
  }
}

/** Installs whose programs still run: a session that is longer than two upgrades. */
const inUse = (library: string): ReadonlySet<string> =>
  new Set(readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const program = readlinkSync(`/proc/${pid}/exe`)
      return program.startsWith(`${library}/`) ? [program.slice(library.length + 1).split("/")[0] ?? ""] : []
    } catch {
      // It ended meanwhile, or is a thread of the kernel's.
      return []
    }
  }))

/**
 * The launcher of an install. Absolute paths, since finding its own place would cost the command two processes at each start;
 * the install's own directory rather than `current`, since Node takes the snapshot of its own version only. Most commands
 * end before V8's first compiler, sparkplug, has been worth its work.
 */
const launcher = (template: string, directory: string) => template.replace(/^here=.*$/m, `here=${directory}/bin`)

/**
 * The steps that put a release into a directory of its own and exchange `current` for it. Everything about the new one is
 * done and on the disk before the one rename that counts, so that `current` leads to a whole install whenever the
 * installer or the host dies; what such a death leaves is removed by the next install. `previous` stays, for a rollback.
 */
export const release = ({ accept, before, library, replacements, reserveBytes, source, version }: Release) => {
  const name = `${version}-${randomBytes(4).toString("hex")}`
  const directory = path.join(library, name)
  const link = (which: "current" | "previous") => path.join(library, which)
  const wholeOrGone = wholly(directory)
  const wanted = file(source, async () => {
    const sizes = await Promise.all([treeBytes(source), ...replacements.map(({ from }) => fs.stat(from).then(({ size }) => size))])
    return sizes.reduce((all, size) => all + size, 0)
  })
  const roomFor = Effect.flatMap(wanted, (bytes) => Effect.provideService(keepReserve("install", bytes, library), Reserve, Effect.succeed(reserveBytes)))
  const steps: ReadonlyArray<Step<{ readonly message: string }>> = [
    {
      name: "files",
      do: file(library, async () => {
        await fs.mkdir(library, { recursive: true })
        await fs.chmod(library, 0o755)
      }).pipe(Effect.zipRight(roomFor), Effect.zipRight(file(directory, async () => {
        await copyTree(source, directory)
        for (const { from, name } of replacements) await place(from, `${directory}/lib/${name}`)
        await syncDirectory(`${directory}/lib`)
        return await fs.readFile(`${directory}/bin/banger`, "utf8")
      })),
        Effect.flatMap((template) => writeWhole(`${directory}/bin/banger`, launcher(template, directory), 0o755)),
        Effect.zipRight(file(directory, () => syncDirectory(`${directory}/bin`))),
        wholeOrGone
      )
    },
    {
      // systemd of an SELinux host runs what is labelled as a program only; a copy has the label of where it was made.
      name: "labels",
      do: Effect.suspend(() => toolPath("restorecon") === null ? Effect.void : run(["restorecon", "-RF", directory])).pipe(wholeOrGone)
    },
    { name: "capabilities", do: wholeOrGone(Effect.suspend(() => accept(directory))) },
    {
      name: "exchange",
      do: Effect.suspend(() => {
        const last = target(link("current")) ?? (before === undefined ? undefined : target(before))
        const keep = last === undefined ? Effect.void : exchange(last, link("previous"))
        return Effect.zipRight(keep, exchange(name, link("current")))
      })
    },
    {
      name: "older installs",
      do: file(library, async () => {
        const kept = new Set(["current", "previous", target(link("current")), target(link("previous")), ...inUse(library)])
        const older = (await fs.readdir(library)).filter((entry) => !kept.has(entry))
        await Promise.all(older.map((entry) => fs.rm(path.join(library, entry), { recursive: true, force: true })))
      })
    }
  ]
  return steps
}
