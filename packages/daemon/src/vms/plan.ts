import { run } from "@banger/capabilities/exec.ts"
import type { CreateVm } from "@banger/domain/api.ts"
import { DEFAULT_IMAGE, DEFAULT_KERNEL } from "@banger/domain/config.ts"
import { type CatalogError, StepFailed, stepFailed, type VmError } from "@banger/domain/errors.ts"
import { VmName } from "@banger/domain/ids.ts"
import { VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { asStep } from "../as-step.ts"
import { type Base, Catalog } from "../catalog.ts"
import { Config } from "../config.ts"
import { HostFacts } from "../host-facts.ts"
import { randomId, randomName } from "./names.ts"
import { type Cell, Registry } from "./registry.ts"
import { VmRuntime } from "./runtime.ts"

/** Names drawn before we give up: with 4,000 of them and a few hundred VMs three are plenty. */
const DRAWS = 20

/** The program that `namegen_path` names prints one name; what is no VM name is its fault and said so. */
const generatedName = (path: string) =>
  run([path], { timeoutMs: 5_000 }).pipe(
    Effect.flatMap((stdout) => Schema.decode(VmName)(stdout.trim() as VmName)),
    Effect.mapError((error) => new StepFailed({ operation: "name the VM", problem: `${path}: ${error.message}`, fix: "mend namegen_path in the configuration, or give --name" }))
  )

/** Of the catalog's errors only those can happen here that a VM's operation has too. */
const asVmError = (error: CatalogError): VmError =>
  error._tag === "ImageInUse" || error._tag === "ImageBusy" || error._tag === "KernelInUse" || error._tag === "BadSource"
    ? stepFailed("choose image and kernel")(error)
    : error

/** Decides what a new VM is, from the request, the configuration and the host, and takes its name and slot. */
export const makePlan = Effect.gen(function*() {
  const catalog = yield* Catalog
  const config = yield* Config
  const facts = yield* HostFacts
  const registry = yield* Registry
  const runtime = yield* VmRuntime

  /** `base` stands in for the image that the request or the configuration names. */
  return (request: CreateVm, base?: Base): Effect.Effect<Cell, VmError> =>
    Effect.gen(function*() {
      const user = yield* config.read
      const { cidr } = yield* Effect.mapError(facts.hello, asStep("reach the root helper"))
      const image = base ?? (yield* Effect.mapError(catalog.image(request.image ?? user.default_image_name ?? DEFAULT_IMAGE), asVmError))
      const kernel = yield* Effect.mapError(catalog.kernel(request.kernel ?? image.kernel ?? user.default_kernel ?? DEFAULT_KERNEL), asVmError)
      const createdAt = yield* Clock.currentTimeMillis
      const reserve = (name: VmName) =>
        registry.add(cidr, name, (slot) =>
          new VmRecord({
            spec: new VmSpec({
              id: randomId(),
              name,
              slot,
              cidr,
              vcpu: request.vcpu ?? user.vm_defaults?.vcpu ?? config.host.vcpu,
              memoryMib: request.memoryMib ?? user.vm_defaults?.memory_mib ?? config.host.memoryMib,
              diskMib: request.diskMib ?? user.vm_defaults?.disk_size ?? config.host.diskMib,
              nat: request.nat ?? user.vm_defaults?.nat ?? config.host.nat,
              image: image.files,
              kernel: kernel.files,
              run: image.run,
              extra: request.extra ?? {}
            }),
            state: "creating",
            reason: "",
            createdAt,
            startedAt: null,
            startedUptime: null,
            ephemeral: request.ephemeral ?? null,
            autostart: request.autostart ?? false,
            hostBoot: facts.bootId,
            made: runtime.names,
            taken: []
          }))
      if (request.name !== undefined) return yield* reserve(request.name)
      const draw = user.namegen_path === undefined ? Effect.sync(randomName) : generatedName(user.namegen_path)
      return yield* Effect.flatMap(draw, reserve).pipe(
        Effect.retry({ times: DRAWS, while: (error) => error._tag === "NameTaken" })
      )
    })
})
