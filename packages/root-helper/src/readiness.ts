import * as fs from "node:fs/promises"
import * as path from "node:path"
import type { Check } from "@banger/capabilities/capability.ts"
import { factCheck } from "@banger/capabilities/capability.ts"
import * as DmCheck from "@banger/capabilities/dm-snapshot/check.ts"
import * as Dm from "@banger/capabilities/dm-snapshot/ops-live.ts"
import { file } from "@banger/capabilities/files.ts"
import * as FirecrackerCheck from "@banger/capabilities/firecracker/check.ts"
import * as Firecracker from "@banger/capabilities/firecracker/ops-live.ts"
import * as GuestConfigCheck from "@banger/capabilities/guest-config/check.ts"
import { HostSettings } from "@banger/capabilities/host-settings.ts"
import type { Feature } from "@banger/capabilities/kernel-feature.ts"
import * as NatCheck from "@banger/capabilities/nat/check.ts"
import * as Nat from "@banger/capabilities/nat/ops-live.ts"
import * as TapCheck from "@banger/capabilities/tap-pool/check.ts"
import * as Tap from "@banger/capabilities/tap-pool/ops-live.ts"
import { Reserve } from "@banger/capabilities/reserve.ts"
import { toolPath } from "@banger/capabilities/tool.ts"
import * as WorkCheck from "@banger/capabilities/work-disk/check.ts"
import * as Work from "@banger/capabilities/work-disk/ops-live.ts"
import { type HostConfig, hostValues } from "@banger/domain/host-config.ts"
import { Finding, notReady } from "@banger/domain/readiness.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hostConfig, programs } from "./settings.ts"

/** The build or release that this bundle, lib/bangerd-root.mjs, belongs to. */
export const BUILD = path.dirname(path.dirname(new URL(import.meta.url).pathname))

/** What the install itself loads. */
const loaded = (found: Feature): Feature => found === "loadable" ? "there" : found

/** The owner's files come with the install: until then it counts what their file system has. */
const room = file("/var/lib", () => fs.statfs("/var/lib")).pipe(Effect.map(({ bavail, bsize }) => bavail * bsize), Effect.orElseSucceed(() => 0))

/** What of facts only root is told is judged as well as it can be; what an install makes (bridge, rules, services) is not asked. */
const checks: ReadonlyArray<readonly [capability: string, check: Check<HostSettings | Reserve>]> = [
  ["firecracker", factCheck("host", Firecracker.facts.machine, FirecrackerCheck.machine)],
  ["firecracker", factCheck("kvm", Firecracker.facts.kvm, FirecrackerCheck.kvm)],
  ["firecracker", factCheck("firecracker", Firecracker.facts.program, FirecrackerCheck.program)],
  ["dm-snapshot", factCheck("device mapper", Effect.map(Dm.facts, (facts) =>
    ({ ...facts, control: loaded(facts.control), snapshot: loaded(facts.snapshot), loopControl: loaded(facts.loopControl) })), DmCheck.judge)],
  ["tap-pool", factCheck("network tools", Effect.map(Tap.facts, (facts) => ({ ...facts, tun: loaded(facts.tun) })), TapCheck.tools)],
  ["nat", factCheck("firewall tools", Nat.facts, NatCheck.tools)],
  ["work-disk", factCheck("disk space", Effect.zipWith(Work.facts, room, (facts, freeBytes) => ({ ...facts, freeBytes })), WorkCheck.judge)],
  ["guest-config", GuestConfigCheck.tools]
]

/** Where Firecracker is looked for, unless host.toml names it. */
export const foundFirecracker = () => toolPath("firecracker") ?? "/usr/local/bin/firecracker"

/** A host before its install: what a VM will need, asked as the caller. `install`: the build whose programs are used. */
export const readiness = (install: string, host: HostConfig): Effect.Effect<ReadonlyArray<Finding>> => {
  const values = hostValues(host)
  const settings = Layer.merge(
    Layer.succeed(Reserve, Effect.succeed(values.reserveBytes)),
    Layer.succeed(HostSettings, {
      ...values,
      config: host,
      owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      ...programs(host, foundFirecracker()),
      install
    })
  )
  return Effect.forEach(checks, ([capability, { name, run }]) => Effect.map(run, (verdict) => new Finding({ capability, check: name, verdict })), { concurrency: 4 }).pipe(
    Effect.provide(settings)
  )
}

/** The same where banger may be installed: root's file is one of the reasons why a helper does not start. */
export const readinessAsConfigured = (install: string) =>
  Effect.matchEffect(hostConfig, {
    onSuccess: (host) => readiness(install, host),
    onFailure: ({ hint, message }) => Effect.map(readiness(install, {}), (found) => [new Finding({ capability: "host", check: "host keys", verdict: notReady(message, hint) }), ...found])
  })
