import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import { guestConfig } from "@banger/capabilities/guest-config/live.ts"
import { file } from "@banger/capabilities/files.ts"
import { startTime } from "@banger/capabilities/firecracker/process.ts"
import { buildLog, vsockSocket } from "@banger/capabilities/paths.ts"
import type { Image, ImageSource } from "@banger/domain/catalog.ts"
import { type CatalogError, HelperUnreachable, ImageNotFound, KernelNotFound, StateUnwritable, StepFailed, stepFailed, type VmError } from "@banger/domain/errors.ts"
import type { Failure } from "@banger/domain/failure.ts"
import { ImageName, type KernelName, VmName } from "@banger/domain/ids.ts"
import { pauses } from "@banger/domain/pauses.ts"
import type { Progress } from "@banger/domain/progress.ts"
import { type Proxy, proxyVariables } from "@banger/domain/session.ts"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Base, Catalog } from "../catalog.ts"
import { Events } from "../vms/events.ts"
import { Lifecycle } from "../vms/lifecycle.ts"
import type { Work } from "../operations.ts"
import { stepOf } from "../step.ts"
import { type Doing, Operations } from "../vms/operations.ts"
import { makePlan } from "../vms/plan.ts"
import { type Cell, Registry } from "../vms/registry.ts"
import { DOCKER, FINISH } from "./build-scripts.ts"
import { EDITION, type Emit, STORED } from "./convert.ts"
import { caveats, forGuests } from "./guest-proxy.ts"
import { logOf, runScript, type ScriptFailed } from "./guest-script.ts"
import { type Stage, stagesOf } from "./stages.ts"

/** What is built of what. */
export interface Build {
  readonly name: ImageName
  readonly from: Base
  readonly kernel?: KernelName | undefined
  readonly sizeMib?: number | undefined
  /** Of the builder's work disk, which becomes the seed. */
  readonly diskMib: number
  readonly script: string
  readonly docker: boolean
  /** The script's environment. */
  readonly env: Readonly<Record<string, string>>
  /** Of whoever asked: where the script's programs reach the world, which decides nothing of what they make. */
  readonly proxy: Proxy
  /** How the image's record calls the build. */
  readonly reference: string
  /** The container image that `from` was made of, where a tag is to stay what it was. */
  readonly base?: string | undefined
}

/** What decides what a build gives: `from`'s files, or, known before they are there, the container image they are made of. */
type Inputs = Pick<Build, "diskMib" | "docker" | "env" | "kernel" | "script" | "sizeMib"> & ({ readonly base: string; readonly from?: Base } | { readonly base?: undefined; readonly from: Base })

/** The name of the image that a failed build leaves: its disks, with the stages that were done. */
const unfinishedOf = (name: ImageName) => Schema.decodeOption(ImageName)(`${name}.unfinished` as ImageName)

/** The source that the record of such an image names. */
const unfinishedReference = (reference: string) => `${reference}, failed`

/** How long the guest may take to go down in order; what it has not written by then is not in the image. Milliseconds. */
const SHUTDOWN = 180_000

/** Everything that decides what a build gives, but for what its script fetches. */
export const digestOf = ({ diskMib, docker, env, kernel, script, sizeMib, ...of }: Inputs): string => {
  const { base, from } = of
  const origin = base === undefined ? [from.files.rootfs, from.files.seed] : [base]
  const inputs = [`${EDITION}`, ...origin, script, docker, sizeMib ?? 0, diskMib, kernel ?? null, Object.entries(env).toSorted()]
  return `sha256:${createHash("sha256").update(JSON.stringify(inputs)).digest("hex")}`
}

/** The same for a build that has done some stages: those that follow may be changed. */
const digestAfter = (build: Build, done: ReadonlyArray<Stage>): string => digestOf({ ...build, script: JSON.stringify(done) })

const isCatalogError = Schema.is(Schema.Union(ImageNotFound, KernelNotFound, StepFailed, StateUnwritable, HelperUnreachable))

/** Whatever goes wrong with the VM or in it, as a failure of the build. */
const failed = (name: ImageName, log: string) => (error: Failure): CatalogError =>
  isCatalogError(error) ? error : stepFailed(`build ${name}`, `its output is in ${log}`)(error)

/** Builds images in VMs: the script's work is a guest's, and of its file systems the host only copies blocks. */
export const makeBuild = Effect.gen(function*() {
  const catalog = yield* Catalog
  const events = yield* Events
  const lifecycle = yield* Lifecycle
  const operations = yield* Operations
  const plan = yield* makePlan
  const registry = yield* Registry

  const named = (name: ImageName) => Schema.decodeOption(VmName)(`build-${name.replaceAll(/[._]/g, "-")}` as VmName)

  /** An operation on a VM of ours, to its end. */
  const operate = ({ record }: Cell, doing: Doing, work: Work<Progress, VmError>) =>
    Effect.flatMap(operations.run(record.spec, doing, work), Stream.runDrain)

  /** Also when something else is still being done to it, such as the clean-up after its end; somebody may have deleted it. */
  const removed = (cell: Cell) => {
    const work: Work<Progress, VmError> = (emit) => Effect.suspend(() => registry.cells().includes(cell) ? lifecycle.remove(cell, true, emit) : Effect.void)
    return Effect.ignoreLogged(Effect.zipRight(operations.begin(cell.record.spec, "deleted", work), operate(cell, "deleted", work)))
  }

  /** A VM of that image runs; it goes with the scope, and with the daemon: this process is its owner. */
  const builder = ({ diskMib, kernel, name }: Build, base: Base) => {
    // What is its owner's would become every VM's.
    const wanted = { extra: { [guestConfig.name]: { owner: false } }, diskMib, ...(kernel !== undefined && { kernel }), nat: true, ephemeral: { pid: process.pid, startTime: startTime(process.pid) ?? "" } }
    const planned = Option.match(named(name), {
      onNone: () => plan(wanted, base),
      onSome: (vm) => Effect.catchTag(plan({ ...wanted, name: vm }, base), "NameTaken", () => plan(wanted, base))
    })
    return Effect.tap(Effect.acquireRelease(planned, removed), (cell) => operate(cell, "created", (emit) => lifecycle.create(cell, emit)))
  }

  /** Disks of a guest that was killed may lack what it wrote last. */
  const stopped = (cell: Cell) =>
    operate(cell, "stopped", (emit) =>
      Effect.flatMap(lifecycle.stop(cell, SHUTDOWN, emit), ({ how, inOrder }) =>
        inOrder ? Effect.void : new StepFailed({ operation: "shut the builder VM down", problem: how, fix: "build again; banger vm logs shows a VM's console while it is there" })))

  /** Where a build leaves its disks when it fails, and what the last one left there; none where an image of the user's has the name. */
  const placeOf = ({ name, reference }: Build) =>
    Effect.gen(function*() {
      const as = unfinishedOf(name)
      if (Option.isNone(as)) return Option.none()
      const left = yield* catalog.find(as.value)
      const ours = Option.match(left, { onNone: () => true, onSome: ({ source }) => source?.reference === unfinishedReference(reference) })
      return ours ? Option.some({ as: as.value, left }) : Option.none()
    })

  /** How many of its stages a build finds done, and what the others begin with. */
  const begun = (build: Build, stages: ReadonlyArray<Stage>, left: Option.Option<Image>): { readonly base: Base; readonly done: number } => {
    const after = (at: number) => at > 0 && Option.exists(left, ({ source }) => source?.digest === digestAfter(build, stages.slice(0, at)))
    const done = stages.findLastIndex((_, at) => after(at))
    return done > 0 && Option.isSome(left) ? { base: left.value, done } : { base: build.from, done: 0 }
  }

  return (build: Build, emit: Emit): Effect.Effect<Image, CatalogError> => {
    const { docker, env, from, kernel, name, proxy, reference, script, sizeMib } = build
    const stages = [...(docker ? [{ name: "Docker", script: DOCKER }] : []), ...stagesOf(script)]
    const path = buildLog(name)
    const step = stepOf(emit)
    const openLog = Effect.acquireRelease(
      file(path, async () => {
        await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 })
        return await fs.open(path, "w", 0o600)
      }),
      (log) => Effect.promise(() => log.close())
    )
    const roomy = (base: Base) => sizeMib === undefined || sizeMib * 2 ** 20 <= base.rootfsBytes ? Effect.succeed(base) : catalog.extend(base, sizeMib)
    return Effect.gen(function*() {
      const log = logOf(yield* openLog)
      const place = yield* placeOf(build)
      const { base, done } = begun(build, stages, Option.flatMap(place, ({ left }) => left))
      const vm = yield* step("builder VM", builder(build, yield* roomy(base)))
      const { spec } = vm.record
      const variables = { DEBIAN_FRONTEND: "noninteractive", ...proxyVariables(forGuests(proxy)), ...env }
      const run = (text: string) => runScript(vsockSocket(spec.id), text, variables, log)
      yield* emit({ _tag: "Log", path })
      const say = (line: string) => log(Buffer.from(`banger: ${line}\n`))
      yield* Effect.forEach(yield* caveats(proxy), say)
      yield* events.lines(spec.id, true, 0).pipe(pauses(spec.name), Stream.runForEach(say), Effect.forkScoped)
      const sealed = (as: ImageName, source: ImageSource) =>
        Effect.gen(function*() {
          yield* run(FINISH)
          yield* step("shutdown of the builder VM", stopped(vm))
          return yield* step(STORED, catalog.seal(spec, { name: as, kernel: kernel ?? from.kernel, source, run: from.run }))
        })
      /** The failure of a stage, once what was done before it is kept, where that can be. */
      const leaving = (at: number) => ({ message }: ScriptFailed) =>
        Effect.gen(function*() {
          const source = { reference: unfinishedReference(reference), digest: digestAfter(build, stages.slice(0, at)), base: build.base ?? null, edition: EDITION }
          const kept = yield* Option.match(at > 0 ? place : Option.none(), {
            onNone: () => Effect.succeedNone,
            onSome: ({ as }) => Effect.option(Effect.tapError(sealed(as, source), (error) => Effect.logWarning(`what was built of ${name} is not kept`, error)))
          })
          const goesOn = Option.isSome(kept) ? `; the same command goes on with the stage, banger image delete ${kept.value.files.name} begins anew` : ""
          return yield* new StepFailed({ operation: `build ${name}`, problem: stages.length === 1 ? message : `${stages[at]?.name}: ${message}`, fix: `its output is in ${path}${goesOn}` })
        })
      yield* Effect.forEach([...stages.entries()].slice(done), ([at, stage]) =>
        Effect.catchTag(step(stage.name, run(stage.script)), "ScriptFailed", leaving(at)), { discard: true })
      return yield* sealed(name, { reference, digest: digestOf(build), base: build.base ?? null, edition: EDITION })
    }).pipe(
      Effect.scoped,
      // Once the builder VM, which may be made of it, is gone; a VM of the user's keeps it.
      Effect.tap(() => Effect.flatMap(placeOf(build), Option.match({
        onNone: () => Effect.void,
        onSome: ({ as, left }) => Option.isSome(left) ? Effect.ignoreLogged(catalog.deleteImage(as)) : Effect.void
      }))),
      Effect.mapError(failed(name, path))
    )
  }
})
