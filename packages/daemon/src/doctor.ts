import { existsSync, lstatSync } from "node:fs"
import type { Check } from "@banger/capabilities/capability.ts"
import { Degraded, judge } from "@banger/capabilities/degraded.ts"
import { DAEMON_SOCKET, HELPER_SOCKET } from "@banger/capabilities/paths.ts"
import { MAKE_ROOM } from "@banger/capabilities/reserve.ts"
import * as SELinux from "@banger/capabilities/selinux.ts"
import { Finding, mend, notReady, ready, type Verdict, warning } from "@banger/domain/readiness.ts"
import type { VmState } from "@banger/domain/vm.ts"
import type { UserConfig } from "@banger/domain/config.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Catalog } from "./catalog.ts"
import { Config, readHostConfig } from "./config.ts"
import { damaged, DATABASE } from "./store/database.ts"
import { HostFacts } from "./host-facts.ts"
import * as HostKeys from "./host-keys.ts"
import { makeLeaks } from "./leaks.ts"
import { Registry } from "./vms/registry.ts"
import { VmRuntime } from "./vms/runtime.ts"

/** A check may wait for a tool that hangs; the others need not wait for it. A slow host that has just started needs more than 10 s. */
const TIMEOUT = "30 seconds"

type NamedCheck = Check<never> & { readonly capability: string }

/** Whether only this daemon's user may connect: the mode is what stands between other users and root's helper. */
const isPrivate = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isSocket() === true && stat.uid === process.getuid?.() && (stat.mode & 0o777) === 0o600
}

/** What a VM gets that is asked for nothing, and where each number comes from. */
const defaults = (host: Config["Type"]["host"], file: NonNullable<UserConfig["vm_defaults"]>): string => {
  const from = <A>(own: A | undefined, derived: A, unit: string) => own === undefined ? `${derived}${unit} (host)` : `${own}${unit} (config.toml)`
  return [from(file.vcpu, host.vcpu, " vCPU"), from(file.memory_mib, host.memoryMib, " MiB"), `disk ${from(file.disk_size, host.diskMib, " MiB")}`].join(", ")
}

/** `aside`: databases that were found damaged, newest last. */
export const ofDatabases = (aside: ReadonlyArray<string>): Verdict =>
  aside.length === 0
    ? ready("whole")
    : warning(`it was damaged, and begun anew: images and kernels of before are not in it; the old one is ${aside.at(-1)}`, `make them anew (VMs keep theirs), then rm ${aside.join(" ")}`)

/** Checks of the daemon itself: everything that is not a capability's. */
const own = Effect.gen(function*() {
  const catalog = yield* Catalog
  const config = yield* Config
  const facts = yield* HostFacts
  const leaks = yield* makeLeaks
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
        onSuccess: ({ vm_defaults }) => ready(`a VM gets ${defaults(config.host, vm_defaults ?? {})}`),
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "host keys",
      // An owner's file that cannot be read wishes nothing: the check before this one says so.
      run: Effect.match(Effect.all([facts.hello, readHostConfig, Effect.orElseSucceed(config.read, () => ({}))]), {
        onSuccess: ([{ host }, file, wish]) => HostKeys.judge({ trusted: host, file, wish }),
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "images",
      run: Effect.match(catalog.images, {
        onSuccess: (images) =>
          images.length === 0
            ? warning("there is no image: the first vm run makes one", mend("banger image pull debian-bookworm"))
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
            ? notReady("there is no kernel", mend("banger kernel import --name host || banger kernel pull debian-6.1"))
            : ready(kernels.map(({ files }) => `${files.name} (${files.release})`).join(", ")),
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "records",
      run: Effect.match(catalog.unreadable, {
        onSuccess: (all) =>
          all.length === 0
            ? ready("all can be read")
            : warning(`another version of banger wrote ${all.join("; ")}`, "install that version, or delete and make them anew: banger image delete NAME, banger kernel delete NAME"),
        onFailure: failing
      })
    },
    {
      capability: "daemon",
      name: "database",
      run: Effect.sync(() => ofDatabases(damaged(DATABASE)))
    },
    {
      capability: "daemon",
      name: "VMs",
      run: Effect.sync(() => {
        const inState = (state: VmState) => registry.cells().map(({ record }) => record).filter((record) => record.state === state)
        const [broken, paused] = [inState("broken"), inState("paused")]
        const [first] = paused
        if (broken.length === 0 && first !== undefined) return notReady(`${paused.map(({ spec }) => spec.name).join(", ")} paused: ${first.reason}`, MAKE_ROOM)
        return broken.length === 0
          ? ready(`${registry.cells().length} known`)
          : notReady(broken.map(({ reason, spec }) => `${spec.name} is broken: ${reason}`).join("; "), "mend the cause, then banger vm stop NAME; banger vm delete --force NAME removes it")
      })
    },
    { capability: "daemon", name: "background work", run: Effect.map(Degraded, judge) },
    {
      capability: "daemon",
      name: "systemd",
      run: Effect.sync(() => existsSync("/run/systemd/system") ? ready("running") : notReady("systemd does not run this host", "boot the host with systemd"))
    },
    { capability: "daemon", name: "SELinux", run: Effect.map(SELinux.facts(process.execPath), SELinux.judge) },
    {
      capability: "daemon",
      name: "sockets",
      run: Effect.sync(() => {
        const open = [DAEMON_SOCKET, HELPER_SOCKET].filter((path) => !isPrivate(path))
        return open.length === 0
          ? ready("the owner's alone")
          : notReady(`${open.join(" and ")} ought to be a socket of the owner's with mode 0600`, mend("sudo systemctl restart bangerd-root.socket bangerd.socket"))
      })
    },
    {
      capability: "daemon",
      name: "leftovers",
      run: Effect.match(leaks, {
        onSuccess: (left) =>
          left.length === 0
            ? ready("no host object without a VM")
            : warning(`${left.length} host objects belong to no VM: ${left.slice(0, 3).join(", ")}${left.length > 3 ? "..." : ""}`, "banger doctor --leaks lists them; a reboot of the host removes all but files"),
        onFailure: failing
      })
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
    ), { concurrency: 4 })
})
