import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { Digest } from "@banger/domain/ids.ts"
import { file, writeWhole } from "../files.ts"
import { HostSettings } from "../host-settings.ts"
import { makeKeyedLock } from "../keyed-lock.ts"
import { INITRDS, stored } from "../paths.ts"
import { keepReserve } from "../reserve.ts"

/** Removes the initrds that were made of a kernel's modules, but for one. */
export const forgetInitrds = (modules: Digest, except?: string) =>
  file(INITRDS, async () => {
    await fs.mkdir(INITRDS, { recursive: true, mode: 0o711 })
    const paths = (await fs.readdir(INITRDS)).filter((name) => name.startsWith(`${modules}-`)).map((name) => `${INITRDS}/${name}`)
    await Promise.all(paths.filter((path) => path !== except).map((path) => fs.rm(path, { force: true })))
  })

/** VMs that start at the same time want the same initrd: one makes it, the others find it. */
const making = makeKeyedLock()

/** Modules (a file per kernel) and guest program (one per version of banger), joined once: the kernel takes both in one. */
export const joinedInitrd = (modules: Digest) =>
  Effect.gen(function*() {
    const { install } = yield* HostSettings
    const program = `${install}/lib/guest.cpio`
    const { mtimeMs, size } = yield* file(program, () => fs.stat(program))
    const initrd = `${INITRDS}/${modules}-${size}-${Math.floor(mtimeMs)}`
    if (existsSync(initrd)) return initrd
    yield* file(initrd, async () => {
      await fs.mkdir(INITRDS, { recursive: true, mode: 0o711 })
    })
    const ofModules = yield* file(stored(modules), () => fs.stat(stored(modules)))
    yield* keepReserve("initrd", ofModules.size + size)
    const parts = yield* Effect.forEach([stored(modules), program], (path) => file(path, () => fs.readFile(path)))
    yield* writeWhole(initrd, Buffer.concat(parts), 0o444)
    // Those of older versions of banger; a VM that runs one has a link of its own.
    yield* forgetInitrds(modules, initrd)
    return initrd
  }).pipe(making(modules))
