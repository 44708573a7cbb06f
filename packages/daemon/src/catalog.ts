import { ImageStore } from "@banger/capabilities/image-store/contract.ts"
import type { Stored } from "@banger/capabilities/image-store/ops.ts"
import { type CatalogError, ImageInUse, ImageNotFound, KernelInUse, KernelNotFound } from "@banger/domain/errors.ts"
import { Image, type ImageSource, Kernel } from "@banger/domain/catalog.ts"
import type { RunConfig } from "@banger/domain/run-config.ts"
import type { Digest, ImageName, KernelName, StagingId } from "@banger/domain/ids.ts"
import type { KernelFiles, VmSpec } from "@banger/domain/vm.ts"
import { nearest } from "@banger/domain/nearest.ts"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { asStep } from "./as-step.ts"
import { CatalogStore, type ImageRecord, type KernelRecord } from "./store/catalog-store.ts"
import { VmStore } from "./store/vm-store.ts"
import { Registry } from "./vms/registry.ts"

interface NewKernel {
  readonly name: KernelName
  readonly release: KernelFiles["release"]
  readonly vmlinux: StagingId
  readonly initrd: StagingId
  readonly modules: StagingId
}

interface About {
  readonly name: ImageName
  readonly kernel?: KernelName | null | undefined
  readonly source?: ImageSource | null | undefined
  readonly run?: RunConfig | null | undefined
}

interface NewImage extends About {
  readonly rootfs: StagingId
  readonly workSeed?: StagingId | undefined
}

/** What a VM is made of: an image, or files that are none yet. */
export type Base = Pick<Image, "files" | "rootfsBytes" | "kernel" | "run">

/** Images and kernels that VMs can be made of. Files are shared by digest and go with their last user. */
export class Catalog extends Context.Tag("@banger/daemon/Catalog")<Catalog, {
  readonly images: Effect.Effect<ReadonlyArray<Image>, CatalogError>
  /** The newest generation of that name. */
  readonly image: (name: ImageName) => Effect.Effect<Image, CatalogError>
  /** The same, where it need not be there. */
  readonly find: (name: ImageName) => Effect.Effect<Option.Option<Image>, CatalogError>
  readonly register: (image: NewImage) => Effect.Effect<Image, CatalogError>
  /** File systems that become no image: their files are kept as long as the scope, and VMs made of them, last. */
  readonly borrow: (files: Pick<NewImage, "rootfs" | "workSeed">, about: Pick<Base, "kernel" | "run"> & { readonly name: ImageName }) => Effect.Effect<Base, CatalogError, Scope.Scope>
  /** The same of an image, with a longer root file system that its guests grow into. */
  readonly extend: (image: Base, sizeMib: number) => Effect.Effect<Base, CatalogError, Scope.Scope>
  /** An image of a stopped VM's disks: its root file system, and /root as the work seed. */
  readonly seal: (vm: VmSpec, about: About) => Effect.Effect<Image, CatalogError>
  readonly deleteImage: (name: ImageName) => Effect.Effect<void, CatalogError>
  readonly kernels: Effect.Effect<ReadonlyArray<Kernel>, CatalogError>
  readonly kernel: (name: KernelName) => Effect.Effect<Kernel, CatalogError>
  readonly importKernel: (kernel: NewKernel) => Effect.Effect<Kernel, CatalogError>
  readonly deleteKernel: (name: KernelName) => Effect.Effect<void, CatalogError>
  /** Every file that an image, a kernel or a VM uses. */
  readonly inUse: Effect.Effect<ReadonlySet<Digest>, CatalogError>
  /** Records that this version cannot read, as `image NAME: why`. */
  readonly unreadable: Effect.Effect<ReadonlyArray<string>, CatalogError>
  /** Removes generations and files that nothing uses any more. */
  readonly collect: Effect.Effect<void, CatalogError>
}>() {
  static readonly layer = Layer.effect(Catalog, Effect.gen(function*() {
    const store = yield* CatalogStore
    const files = yield* ImageStore
    const registry = yield* Registry
    const { unread } = yield* VmStore
    // A file that is being added is in the store before its record is: collecting must not come between the two.
    const lock = yield* Effect.makeSemaphore(1)
    // Files that are needed and stand in no record; one of them twice when two need it.
    const held: Array<Digest> = []

    const specs = () => registry.cells().map(({ record }) => record.spec)
    const toImage = (record: ImageRecord) =>
      new Image({
        ...record,
        usedBy: specs().filter(({ image }) => image.name === record.files.name && image.generation === record.files.generation).map(({ name }) => name)
      })
    const toKernel = (record: KernelRecord) =>
      new Kernel({ ...record, usedBy: specs().filter(({ kernel }) => kernel.vmlinux === record.files.vmlinux).map(({ name }) => name) })

    const ingest = (staging: StagingId) =>
      Effect.mapError(files.ingest(staging), asStep("add the file to the image store"))
    const removeFile = (digest: Digest) =>
      Effect.mapError(files.remove(digest), asStep("remove a file of the image store"))

    const images = Effect.map(store.images, (records) => records.map(toImage))
    const find = (name: ImageName) => Effect.map(images, Array.findLast(({ files }) => files.name === name))
    const noImage = (name: ImageName) => Effect.flatMap(images, (all) => new ImageNotFound({ name, near: nearest(name, all.map(({ files }) => files.name)) }))
    const kernels = Effect.map(store.kernels, (records) => records.map(toKernel))
    const image = (name: ImageName) =>
      Effect.flatMap(find(name), Option.match({ onNone: () => noImage(name), onSome: Effect.succeed }))
    const kernel = (name: KernelName) =>
      Effect.flatMap(kernels, (all) =>
        Option.match(Option.fromNullable(all.find(({ files }) => files.name === name)), {
          onNone: () => new KernelNotFound({ name, near: nearest(name, all.map(({ files }) => files.name)) }),
          onSome: Effect.succeed
        }))

    const inUse = Effect.gen(function*() {
      const vms = specs()
      const imageFiles = [...(yield* store.images).map(({ files }) => files), ...vms.map(({ image }) => image)]
      const kernelFiles = [...(yield* store.kernels).map(({ files }) => files), ...vms.map(({ kernel }) => kernel)]
      return new Set<Digest>([
        ...held,
        ...unread,
        ...(yield* store.unreadable).flatMap(({ digests }) => digests),
        ...imageFiles.flatMap(({ rootfs, seed }) => seed === null ? [rootfs] : [rootfs, seed]),
        ...kernelFiles.flatMap(({ initrd, modules, vmlinux }) => [vmlinux, initrd, modules])
      ])
    })

    const sweep = Effect.gen(function*() {
      const records = yield* store.images
      const newest = new Map(records.map(({ files }) => [files.name, files.generation]))
      yield* Effect.forEach(records.map(toImage), ({ files, usedBy }) =>
        newest.get(files.name) !== files.generation && usedBy.length === 0 ? store.removeImage(files.name, files.generation) : Effect.void)
      const used = yield* inUse
      const stored = yield* Effect.mapError(files.list, asStep("list the image store"))
      yield* Effect.forEach(stored.filter((digest) => !used.has(digest)), removeFile)
    })

    /** What is made is made, whatever else can or cannot be removed now. */
    const swept = Effect.catchAllCause(sweep, (cause) => Effect.logWarning("files that nothing uses stay in the image store", cause))

    /** A new generation of files that are added to the store now. */
    const record = ({ kernel: kernelName, name, run, source }: About, adding: Effect.Effect<{ readonly rootfs: Stored; readonly seed: Digest | null }, CatalogError>) =>
      lock.withPermits(1)(Effect.gen(function*() {
        if (kernelName !== undefined && kernelName !== null) yield* kernel(kernelName)
        const { rootfs, seed } = yield* adding
        const made = {
          files: { name, generation: (yield* store.newest(name)) + 1, rootfs: rootfs.digest, seed },
          kernel: kernelName ?? null,
          rootfsBytes: rootfs.bytes,
          createdAt: yield* Clock.currentTimeMillis,
          source: source ?? null,
          run: run ?? null
        }
        yield* store.addImage(made)
        yield* swept
        return toImage(made)
      }).pipe(Effect.onError(() => swept)))

    const hold = (adding: Effect.Effect<Stored, CatalogError>) =>
      Effect.acquireRelease(
        lock.withPermits(1)(Effect.tap(adding, ({ digest }) => Effect.sync(() => held.push(digest)))),
        ({ digest }) => lock.withPermits(1)(Effect.suspend(() => {
          held.splice(held.indexOf(digest), 1)
          return swept
        }))
      )
    /** No generation of an image: those begin with 1. */
    const NONE = 0

    return {
      images,
      image,
      find,
      kernels,
      kernel,
      inUse,
      unreadable: Effect.map(store.unreadable, (all) => all.map(({ kind, name, problem }) => `${kind} ${name}: ${problem}`)),
      collect: lock.withPermits(1)(sweep),
      register: ({ rootfs, workSeed, ...about }) =>
        record(about, Effect.gen(function*() {
          const root = yield* ingest(rootfs)
          return { rootfs: root, seed: workSeed === undefined ? null : (yield* ingest(workSeed)).digest }
        })),
      borrow: ({ rootfs, workSeed }, { kernel, name, run }) =>
        Effect.gen(function*() {
          const { bytes, digest } = yield* hold(ingest(rootfs))
          const seed = workSeed === undefined ? null : (yield* hold(ingest(workSeed))).digest
          return { files: { name, generation: NONE, rootfs: digest, seed }, rootfsBytes: bytes, kernel, run }
        }),
      extend: (image, sizeMib) =>
        Effect.map(hold(Effect.mapError(files.extend(image.files.rootfs, sizeMib), asStep("make room in the root file system"))), ({ bytes, digest }) =>
          ({ ...image, files: { ...image.files, generation: NONE, rootfs: digest }, rootfsBytes: bytes })),
      seal: ({ id, image }, about) =>
        record(about, files.seal(id, image.rootfs).pipe(
          Effect.map(({ rootfs, seed }) => ({ rootfs, seed: seed.digest })),
          Effect.mapError(asStep("add the VM's disks to the image store"))
        )),
      deleteImage: (name) =>
        lock.withPermits(1)(Effect.gen(function*() {
          if ((yield* store.newest(name)) === 0) return yield* noImage(name)
          const generations = (yield* images).filter(({ files }) => files.name === name)
          const vms = generations.flatMap(({ usedBy }) => usedBy)
          if (vms.length > 0) return yield* new ImageInUse({ name, vms })
          yield* store.removeImages(name)
          yield* swept
        })),
      importKernel: ({ initrd, modules, name, release, vmlinux }) =>
        lock.withPermits(1)(Effect.gen(function*() {
          const record = {
            files: {
              name,
              release,
              vmlinux: (yield* ingest(vmlinux)).digest,
              initrd: (yield* ingest(initrd)).digest,
              modules: (yield* ingest(modules)).digest
            },
            createdAt: yield* Clock.currentTimeMillis
          }
          yield* store.putKernel(record)
          yield* swept
          return toKernel(record)
        }).pipe(Effect.onError(() => swept))),
      deleteKernel: (name) =>
        lock.withPermits(1)(Effect.gen(function*() {
          const unreadable = (yield* store.unreadable).some((each) => each.kind === "kernel" && each.name === name)
          const usedBy = unreadable ? [] : (yield* kernel(name)).usedBy
          const bound = (yield* images).filter((image) => image.kernel === name).map(({ files }) => `image ${files.name}`)
          if (usedBy.length + bound.length > 0) return yield* new KernelInUse({ name, users: [...usedBy, ...bound] })
          yield* store.removeKernel(name)
          yield* swept
        }))
    }
  }))
}
