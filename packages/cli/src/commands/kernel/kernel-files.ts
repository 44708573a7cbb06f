import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { killed } from "@banger/capabilities/killed.ts"
import { BadSource } from "@banger/domain/errors.ts"
import type { KernelName } from "@banger/domain/ids.ts"
import { KernelRelease } from "@banger/domain/vm.ts"
import { Daemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { hostReserve } from "../../host/host-config.ts"
import { program, staging } from "../../host/paths.ts"
import { place } from "../../host/staging.ts"

const Imported = Schema.parseJson(Schema.Struct({ release: KernelRelease }))

/**
 * A kernel and its modules, turned into what banger boots: vmlinux, modules.cpio, modules.ext4. `source` names them in errors;
 * below a directory of ours they are given relative to `cwd`, since errors name them by the path given.
 */
export const convert = ([command, ...args]: readonly [command: string, ...ReadonlyArray<string>], source: string, fix: string, cwd?: string) =>
  Effect.flatMap(hostReserve, (reserve) => Effect.async<string, LocalFailure | BadSource>((resume) => {
    const converter = program("banger-kernel")
    const child = execFile(converter, [command, ...reserve, ...args], { cwd }, (error, stdout, stderr) => {
      if (error === null) return resume(Effect.succeed(stdout))
      if (error.code === "ENOENT") return resume(new LocalFailure({ problem: `${converter} is missing`, fix: "install banger again" }))
      const problem = stderr.trim().split("\n")[0]?.replace(/^banger-kernel: /, "") || error.message
      resume(new BadSource({ path: source, problem, fix }))
    })
    return killed(child)
  }))

/** Before anything is converted: what of a kernel is missing, or shut to this user. */
export const readable = (path: string, what: string) =>
  Effect.tryPromise({
    try: () => fs.access(path, fs.constants.R_OK),
    catch: () => new BadSource({
      path,
      problem: existsSync(path) ? `${what} is readable for root only` : "there is no such file",
      fix: existsSync(path) ? `sudo install -m 644 ${path} /tmp/ and give that copy` : "check the path"
    })
  })

/** The same of a kernel, bzImage or vmlinux, and the directory of the modules that were built with it. */
export const convertFiles = (kernel: string, modules: string, out: string) =>
  Effect.gen(function*() {
    yield* readable(kernel, "the kernel")
    yield* readable(modules, "the directory")
    return yield* convert(["import", "--vmlinuz", kernel, "--modules", modules, "--out", out], kernel, "give a kernel and the modules that were built with it, /lib/modules/RELEASE")
  })

/** Two empty directories of staging: what a kernel is made of, and what banger-kernel makes of it. */
export interface Workplace {
  readonly source: string
  readonly out: string
}

/** Hands a kernel to the daemon, once `make` has converted it into `out`. The daemon is asked first whether it is there at all. */
export const importKernel = <E, R>(name: KernelName, make: (workplace: Workplace) => Effect.Effect<string, E, R>) =>
  Effect.gen(function*() {
    const daemon = yield* Daemon
    yield* daemon.host.Status()
    const { path } = yield* place
    const [source, out] = [`${path}/source`, `${path}/out`]
    yield* Effect.tryPromise({
      try: async () => {
        await fs.mkdir(path)
        await Promise.all([fs.mkdir(source), fs.mkdir(out)])
      },
      catch: (error) => new LocalFailure({ problem: `cannot write in ${staging()}: ${(error as Error).message}`, fix: "banger doctor" })
    })
    const { release } = yield* Effect.flatMap(make({ out, source }), (said) => Effect.mapError(Schema.decodeUnknown(Imported)(said), () =>
      new LocalFailure({ problem: `kernel ${name}: banger-kernel says of it what makes no sense: ${said.slice(0, 200)}`, fix: "is its release one that uname -r could print? If so, this is a bug in banger: please report it" })))
    const staged = (file: string) =>
      Effect.map(Effect.tap(place, (taken) => Effect.promise(() => fs.rename(`${out}/${file}`, taken.path))), ({ id }) => id)
    return yield* daemon.kernel.Import({
      name, release, vmlinux: yield* staged("vmlinux"), initrd: yield* staged("modules.cpio"), modules: yield* staged("modules.ext4")
    })
  })
