import * as fs from "node:fs/promises"
import * as path from "node:path"
import { allocatedBytes, file } from "@banger/capabilities/files.ts"
import { Helper } from "@banger/capabilities/helper.ts"
import { ImageStore } from "@banger/capabilities/image-store/contract.ts"
import { consoleLog, cowFile, LAYERS, seedOf, STAGING, STATE, workFile } from "@banger/capabilities/paths.ts"
import { type CatalogError, StateUnwritable } from "@banger/domain/errors.ts"
import { Digest } from "@banger/domain/ids.ts"
import type { DiskUsage, Usage } from "@banger/domain/storage.ts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { asStep } from "./as-step.ts"
import { Catalog } from "./catalog.ts"
import { Config } from "./config.ts"
import { ImageMaker } from "./images/maker.ts"
import { openIn } from "./open-files.ts"
import { Registry } from "./vms/registry.ts"

/** A file in staging that nobody has written to for so long is left over from a client that was killed. Milliseconds. */
const ABANDONED = 3_600_000

interface Sizes {
  readonly apparentBytes: number
  readonly allocatedBytes: number
}

const sum = (sizes: ReadonlyArray<Sizes>): Sizes => ({
  apparentBytes: sizes.reduce((total, { apparentBytes }) => total + apparentBytes, 0),
  allocatedBytes: sizes.reduce((total, { allocatedBytes }) => total + allocatedBytes, 0)
})

/** A file that is gone by now takes no room. */
const sizeOf = async (path: string): Promise<Sizes & { readonly mtimeMs: number }> => {
  const stat = await fs.lstat(path).catch(() => undefined)
  return { apparentBytes: stat?.size ?? 0, allocatedBytes: stat === undefined ? 0 : allocatedBytes(stat), mtimeMs: stat?.mtimeMs ?? 0 }
}

/** What lies in a directory; one that is not there is empty. */
const entries = async (directory: string) => {
  const names = await fs.readdir(directory).catch(() => [])
  return Promise.all(names.map(async (name) => ({ path: `${directory}/${name}`, ...await sizeOf(`${directory}/${name}`) })))
}

const unreadable = (error: { readonly message: string }) => new StateUnwritable({ problem: error.message })

/** What banger keeps on the disk, and what of it nothing uses. */
export const makeStorage = Effect.gen(function*() {
  const catalog = yield* Catalog
  const config = yield* Config
  const helper = yield* Helper
  const maker = yield* ImageMaker
  const registry = yield* Registry
  const store = yield* ImageStore

  /** By digest, who uses a file of the store. */
  const users = Effect.gen(function*() {
    const found = new Map<string, Array<string>>()
    const use = (digest: string | null, user: string) => {
      if (digest === null) return
      const known = found.get(digest) ?? []
      if (!known.includes(user)) found.set(digest, [...known, user])
    }
    const images = yield* catalog.images
    const newest = new Map(images.map(({ files }) => [files.name, files.generation]))
    for (const { files } of images) {
      const name = newest.get(files.name) === files.generation ? `image ${files.name}` : `image ${files.name} (replaced)`
      for (const digest of [files.rootfs, files.seed]) use(digest, name)
    }
    for (const { files } of yield* catalog.kernels) for (const digest of [files.vmlinux, files.initrd, files.modules]) use(digest, `kernel ${files.name}`)
    for (const { record: { spec: { kernel, name } } } of registry.cells()) {
      for (const digest of [kernel.vmlinux, kernel.initrd, kernel.modules]) if (!found.has(digest)) use(digest, `kernel of VM ${name}`)
    }
    return found
  })

  /** Sizes of empty work disks that VMs have, and that the next VM gets where nobody says otherwise. */
  const seedsWanted = Effect.gen(function*() {
    const { vm_defaults } = yield* Effect.orElseSucceed(config.read, () => ({ vm_defaults: undefined }))
    return [vm_defaults?.disk_size ?? config.host.diskMib, ...registry.cells().map(({ record }) => record.spec.diskMib)]
  })

  const ofStore = Effect.gen(function*() {
    const facts = yield* Effect.mapError(store.facts, asStep("look into the image store"))
    const known = yield* users
    const used = yield* catalog.inUse
    const whole = Schema.is(Digest)
    const rows = new Map<string, Array<Sizes>>()
    // What has no digest for a name yet is being written.
    for (const fact of facts.filter(({ area, name }) => area === "store" && whole(name))) {
      const name = known.get(fact.name)?.join(", ") ?? (used.has(Digest.make(fact.name)) ? "image that is being built" : "")
      rows.set(name, [...rows.get(name) ?? [], fact])
    }
    const shared = [...rows].map(([name, sizes]): Usage => ({
      what: name === "" ? "orphan" : name.startsWith("image ") ? "image" : "kernel",
      name: name === "" ? "files of no image and no kernel" : name,
      ...sum(sizes),
      removable: name === ""
    }))
    const wanted = new Set((yield* seedsWanted).map((size) => path.basename(seedOf(size))))
    const seeds = facts.filter(({ area }) => area === "seeds")
    const caches: ReadonlyArray<Usage> = [
      { what: "caches", name: "initrds", ...sum(facts.filter(({ area }) => area === "initrds")), removable: false },
      { what: "caches", name: "empty work disks", ...sum(seeds.filter(({ name }) => wanted.has(name))), removable: false },
      { what: "caches", name: "empty work disks of sizes that no VM has", ...sum(seeds.filter(({ name }) => !wanted.has(name))), removable: true }
    ]
    return [...shared, ...caches]
  })

  const ofVms = Effect.suspend(() => Effect.forEach(registry.cells().map(({ record }) => record.spec), ({ id, name }) =>
    Effect.map(
      file(STATE, () => Promise.all([cowFile, workFile, consoleLog].map((path) => sizeOf(path(id))))),
      (sizes): Usage => ({ what: "vm", name, ...sum(sizes), removable: false })
    )))

  const ofCache = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const layers = yield* file(LAYERS, () => entries(LAYERS))
    const staging = yield* file(STAGING, () => entries(STAGING))
    const inUse = yield* Effect.promise(() => openIn(STAGING))
    const abandoned = staging.filter(({ mtimeMs, path }) => now - mtimeMs > ABANDONED && !inUse.has(path))
    const rows: ReadonlyArray<Usage> = [
      { what: "layers", name: `${layers.length} layers of container images`, ...sum(layers), removable: layers.length > 0 },
      { what: "staging", name: "left by commands that were killed", ...sum(abandoned), removable: abandoned.length > 0 },
      { what: "staging", name: "on its way into the image store", ...sum(staging.filter((entry) => !abandoned.includes(entry))), removable: false }
    ]
    return { rows, paths: [...layers, ...abandoned].map(({ path }) => path) }
  })

  const present = ({ apparentBytes }: Usage) => apparentBytes > 0

  const diskUsage: Effect.Effect<DiskUsage, CatalogError> = Effect.gen(function*() {
    const [shared, vms, cache] = yield* Effect.all([ofStore, ofVms, ofCache], { concurrency: 3 })
    const { bavail, bsize } = yield* file(STATE, () => fs.statfs(STATE))
    return { usages: [...shared, ...vms, ...cache.rows].filter(present), freeBytes: bavail * bsize }
  }).pipe(Effect.catchTag("FileFailed", unreadable))

  /** What goes, and the paths of what of it is the daemon's own to remove. */
  const removable = Effect.map(Effect.all([ofStore, ofCache], { concurrency: 2 }), ([shared, { paths, rows }]) =>
    ({ usages: [...shared, ...rows].filter((usage) => present(usage) && usage.removable), paths }))

  /** Layers are there for the next pull, so none goes while an image is made. */
  const prune = Effect.gen(function*() {
    const { paths, usages } = yield* removable
    yield* file(LAYERS, () => Promise.all(paths.map((path) => fs.rm(path, { recursive: true, force: true }))))
    yield* Effect.mapError(helper.work.DropSeeds({ keep: yield* seedsWanted }), asStep("remove empty work disks"))
    yield* catalog.collect
    return usages
  })

  return {
    diskUsage,
    prune: (dryRun: boolean): Effect.Effect<ReadonlyArray<Usage>, CatalogError> =>
      Effect.catchTag(dryRun ? Effect.map(removable, ({ usages }) => usages) : maker.quietly(prune), "FileFailed", unreadable)
  }
})
