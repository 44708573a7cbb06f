import { existsSync, readFileSync, statSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { run } from "@banger/capabilities/exec.ts"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { type HostConfig, hostValues } from "@banger/domain/host-config.ts"
import { changeableByOthers, ownership } from "@banger/capabilities/tool.ts"
import { VERSION } from "@banger/domain/version.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { hostText, INSTALL_RECORD, installRecord, type InstallRecord, programs } from "../settings.ts"
import { inLines, planOf, refuseUnfit, writePlan } from "./host-file.ts"
import { bridgeStands, refuseCidrInUse } from "./network.ts"
import { BUILD, foundFirecracker, readiness } from "../readiness.ts"
import { COMMAND, CURRENT, LIBRARY } from "./files.ts"
import { hostKernel } from "./kernel.ts"
import { refuseStrangers } from "./lists.ts"
import { findOwner, keyPair, refuseOthersVms, state } from "./owner.ts"
import { Refused } from "./refused.ts"
import { exchange, release } from "./release.ts"
import { services } from "./services.ts"
import { shared } from "./shared.ts"
import { take } from "./step.ts"
import { uidsAreFree } from "./uids.ts"
import { readWish } from "./wish.ts"

/** Bundles of the user's own that take the place of banger's (docs/custom-capabilities.md). */
export interface Bundles {
  readonly daemon: string | undefined
  readonly helper: string | undefined
}

const replacementsOf = ({ daemon, helper }: Bundles) =>
  [{ from: daemon, name: "bangerd.mjs" }, { from: helper, name: "bangerd-root.mjs" }].flatMap(({ from, name }) =>
    from === undefined ? [] : [{ from: path.resolve(from), name }])

const isFile = (from: string) =>
  statSync(from, { throwIfNoEntry: false })?.isFile() === true
    ? Effect.void
    : new Refused({ problem: `${from} is not a file`, fix: "node packaging/build-daemon.ts ENTRY OUT.mjs makes a bundle" })

/** What a VM will lack on this host is said; it may come later. */
const sayWhatLacks = (host: HostConfig) => Effect.flatMap(readiness(BUILD, host), (found) =>
  Effect.forEach(found, ({ verdict }) => verdict._tag === "Ready" ? Effect.void : Console.error(`${verdict._tag === "NotReady" ? "FAIL" : "warn"}  ${verdict.problem}\n      ${verdict.fix}`), { discard: true }))

/** A program that is missing is said; one that others can change would be root's at the first VM. */
const isRootsAlone = (program: string) => {
  const place = changeableByOthers(program)
  return place === null
    ? Effect.void
    : new Refused({ problem: `others than root can change ${place}, and root runs ${program}`, fix: ownership(place) })
}

/** `banger` as it is typed after sudo, which on some distributions looks into a path of its own. */
const afterSudo = run(["sudo", "-V"]).pipe(
  Effect.map((said) => /^Value to override user's \$PATH with: (.*)$/m.exec(said)?.[1]),
  Effect.map((searched) => searched === undefined || searched.split(":").includes(path.dirname(COMMAND)) ? "banger" : COMMAND),
  Effect.orElseSucceed(() => "banger")
)

/**
 * Idempotent; a second install takes the place of the first, and VMs run on. One that is killed leaves the old install or the new
 * one, whole, and is simply begun again. Installing from the directory `previous` is a rollback.
 */
export const install = (ownerName: string, bundles: Bundles) =>
  Effect.gen(function*() {
    // Whatever the caller's is: everybody may read what is installed.
    process.umask(0o022)
    if (process.arch !== "x64") return yield* new Refused({ problem: `this machine is ${process.arch}, banger runs on x86_64`, fix: "use an x86_64 host" })
    if (!existsSync("/run/systemd/system")) return yield* new Refused({ problem: "systemd does not run this host", fix: "banger keeps its VMs as systemd units" })
    const owner = yield* findOwner(ownerName)
    const before = yield* Effect.option(installRecord)
    const replacements = replacementsOf(bundles)
    const found = foundFirecracker()
    const plan = yield* planOf(yield* hostText, yield* readWish(owner))
    const used = programs(plan.host, found)
    const { cidr, reserveBytes } = hostValues(plan.host)
    const record: InstallRecord = {
      version: VERSION,
      directory: CURRENT,
      owner,
      ...programs({}, found),
      ipForward: before._tag === "Some" ? before.value.ipForward : readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim(),
      command: yield* afterSudo
    }
    yield* take<{ readonly message: string }>([
      { name: "readiness", do: sayWhatLacks(plan.host) },
      {
        name: "checks",
        do: Effect.all([
          refuseOthersVms(owner),
          uidsAreFree,
          plan.changes.length > 0 ? Console.error(`host.toml:\n${inLines(plan)}`) : Effect.void,
          refuseUnfit(plan, "install again"),
          bridgeStands() ? Effect.void : refuseCidrInUse(cidr, "install again"),
          Effect.forEach(replacements, ({ from }) => isFile(from)),
          Effect.forEach([used.firecracker, used.jailer], isRootsAlone)
        ])
      },
      ...release({ source: BUILD, version: VERSION, library: LIBRARY, reserveBytes, before: before._tag === "Some" ? before.value.directory : undefined, replacements, accept: refuseStrangers(owner) }),
      { name: "command", do: exchange(`${CURRENT}/bin/banger`, COMMAND) },
      { name: "state", do: state(owner) },
      {
        name: "record",
        do: Effect.all([
          file(path.dirname(INSTALL_RECORD), async () => {
            await fs.mkdir(path.dirname(INSTALL_RECORD), { recursive: true })
            await fs.chmod(path.dirname(INSTALL_RECORD), 0o755)
          }),
          writeWhole(INSTALL_RECORD, JSON.stringify(record, null, 2) + "\n", 0o644),
          writePlan(plan)
        ])
      },
      { name: "ssh key", do: keyPair(owner) },
      ...services(record),
      { name: "completion and manual", do: shared(CURRENT, "/") },
      { name: "kernel", do: hostKernel(record) }
    ])
    yield* Effect.forEach(replacements, ({ from, name }) => Console.error(`lib/${name} is ${from}; an install from banger's build without that flag brings back banger's own`))
    yield* Console.error(`banger ${VERSION} is installed for ${owner.name}. banger doctor checks the host; banger vm run starts a VM.`)
  })
