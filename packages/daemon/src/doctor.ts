import { existsSync } from "node:fs"
import type { Check } from "@banger/capabilities/capability.ts"
import { Finding, notReady, ready, warning } from "@banger/domain/readiness.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Catalog } from "./catalog.ts"
import { Config } from "./config.ts"
import { HostFacts } from "./host-facts.ts"
import { Registry } from "./vms/registry.ts"
import { VmRuntime } from "./vms/runtime.ts"

/** A check may wait for a tool that hangs; the others need not wait for it. */
const TIMEOUT = "10 seconds"

type NamedCheck = Check<never> & { readonly capability: string }

/** Checks of the daemon itself: everything that is not a capability's. */
const own = Effect.gen(function*() {
  const catalog = yield* Catalog
  const config = yield* Config
  const facts = yield* HostFacts
  const registry = yield* Registry
  const failing = (error: { readonly message: string; readonly hint: string }) => notReady(error.message, error.hint)
  const checks: ReadonlyArray<NamedCheck> = [
    {
      capability: "daemon",
      name: "root helper",
      run: Effect.match(facts.hello, { onSuccess: ({ version }) => ready(`version ${version}`), onFailure: failing })
    },
    {
      capability: "daemon",
      name: "configuration",
      run: Effect.match(config.read, {
        onSuccess: ({ vm_defaults }) => {
          const { diskMib, memoryMib, vcpu } = config.host
          return ready(`a VM gets ${vm_defaults?.vcpu ?? vcpu} vCPU, ${vm_defaults?.memory_mib ?? memoryMib} MiB, disk ${vm_defaults?.disk_size ?? diskMib} MiB`)
        },
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "images",
      run: Effect.match(catalog.images, {
        onSuccess: (images) =>
          images.length === 0
            ? warning("there is no image", "banger image register --name debian-bookworm --rootfs FILE")
            : ready(images.map(({ files }) => files.name).join(", ")),
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "kernels",
      run: Effect.match(catalog.kernels, {
        onSuccess: (kernels) =>
          kernels.length === 0
            ? notReady("there is no kernel", "banger kernel import imports the host's own")
            : ready(kernels.map(({ files }) => `${files.name} (${files.release})`).join(", ")),
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "VMs",
      run: Effect.sync(() => {
        const broken = registry.cells().filter(({ record }) => record.state === "broken")
        return broken.length === 0
          ? ready(`${registry.cells().length} known`)
          : notReady(broken.map(({ record }) => `${record.spec.name} is broken: ${record.reason}`).join("; "), "mend the cause, then banger vm stop NAME")
      })
    },
    {
      capability: "daemon",
      name: "systemd",
      run: Effect.sync(() => existsSync("/run/systemd/system") ? ready("running") : notReady("systemd does not run this host", "boot the host with systemd"))
    }
  ]
  return checks
})

/** The readiness checks of the very capabilities that a start uses, and of the daemon. */
export const doctor = Effect.gen(function*() {
  const { checks } = yield* VmRuntime
  const all = [...checks, ...yield* own]
  return Effect.forEach(all, ({ capability, name, run }) =>
    run.pipe(
      Effect.timeoutTo({
        duration: TIMEOUT,
        onSuccess: (verdict) => verdict,
        onTimeout: () => notReady(`no answer within ${TIMEOUT}`, "journalctl -u bangerd -u bangerd-root")
      }),
      Effect.catchAllCause((cause) => Effect.succeed(notReady(Cause.pretty(cause).split("\n")[0] ?? "", "journalctl -u bangerd"))),
      Effect.map((verdict) => new Finding({ capability, check: name, verdict }))
    ), { concurrency: 8 })
})
