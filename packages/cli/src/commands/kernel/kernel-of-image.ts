import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { getFiles } from "@banger/capabilities/vsock/agent-client.ts"
import { BadSource } from "@banger/domain/errors.ts"
import type { ImageName } from "@banger/domain/ids.ts"
import { hostReserve } from "../../host/host-config.ts"
import { intoProgram } from "../../host/into-program.ts"
import { live, wantsParts } from "../../output/progress.ts"
import { withFreshVm } from "../../run/fresh-vm.ts"
import { ownProcess } from "../../run/own-process.ts"

const KERNEL = /^vmlinuz-(.+)$/

const bad = (image: ImageName, problem: string) => new BadSource({ path: `image ${image}`, problem, fix: "install the distribution's kernel package in it: banger image build" })

/** Writes the regular files whose names begin so of what the guest sends of a path, below a directory of ours; banger-kernel bounds them, and the request ends with a guest that stands still. */
export const unpackFrom = (vsock: string, path: string, prefix: string, into: string) =>
  Effect.scoped(Effect.gen(function*() {
    const reserve = yield* hostReserve
    const archive = yield* getFiles(vsock, path)
    yield* Effect.tryPromise({ try: () => fs.mkdir(into, { recursive: true }), catch: (error) => error as Error }).pipe(
      Effect.zipRight(intoProgram("banger-kernel", ["unpack", ...reserve, "--prefix", prefix, "--into", into], archive)),
      Effect.mapError(({ message }) => new Error(`${path}: ${message}`))
    )
  }))

/**
 * The newest kernel of an image and its modules, copied into a directory; their paths in it. The image is a stranger's, so its file system is read
 * by a guest made of it, not by this host.
 */
export const kernelOfImage = (image: ImageName, directory: string) =>
  Effect.scoped(Effect.gen(function*() {
    const progress = yield* live("creating a VM", wantsParts(false))
    return yield* withFreshVm({ image, ephemeral: ownProcess(), nat: false }, progress, false, (vm) =>
      Effect.gen(function*() {
        progress.doing(() => `reading the kernel of ${image}`)
        yield* unpackFrom(vm.vsock, "/boot", "boot/vmlinuz-", directory)
        const releases = (yield* Effect.tryPromise(() => fs.readdir(`${directory}/boot`).catch(() => []))).flatMap((name) => KERNEL.exec(name)?.[1] ?? [])
        const release = releases.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1)
        if (release === undefined) return yield* bad(image, "there is no /boot/vmlinuz-RELEASE in it")
        yield* unpackFrom(vm.vsock, `/lib/modules/${release}`, `${release}/`, `${directory}/lib/modules`)
        progress.end()
        return { vmlinuz: `boot/vmlinuz-${release}`, modules: `lib/modules/${release}` }
      }).pipe(Effect.mapError((error) => error instanceof BadSource ? error : bad(image, error.message))))
  }))
