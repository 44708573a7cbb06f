import { constants, existsSync, readFileSync, statSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { run } from "@banger/capabilities/exec.ts"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { CACHE, DAEMON_STATE, HOST_CONFIG, JAILS, LAYERS, ROOT_STATE, STAGING, STATE } from "@banger/capabilities/paths.ts"
import { changeableByOthers, ownership, toolPath, version } from "@banger/capabilities/tool.ts"
import { UID_BASE } from "@banger/domain/network.ts"
import { VERSION } from "@banger/domain/version.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { INSTALL_RECORD, installRecord, type InstallRecord } from "../settings.ts"
import { COMMAND, LIBRARY, rendered, SETTINGS, UNIT_DIRECTORY, UNITS } from "./files.ts"
import { restart } from "./name-sockets.ts"
import { refuseCidrInUse, reloadNetworkManagers } from "./network.ts"
import { Refused } from "./refused.ts"

/** The build or release that this bundle, lib/bangerd-root.mjs, belongs to. */
const SOURCE = path.dirname(path.dirname(new URL(import.meta.url).pathname))

/**
 * Absolute paths: finding its own place would cost the command two processes at each start. Most commands end before
 * V8's first compiler, sparkplug, has been worth its work.
 */
const launcher = (directory: string) =>
  `#!/bin/sh\nexec ${directory}/bin/node --no-sparkplug --snapshot-blob ${directory}/lib/banger.blob -- "$@"\n`

const HOST_TOML = `# What root trusts. All keys are optional; sudo banger system restart applies a change.
# [network]
# cidr = "172.16.0.0/24"
# vm_to_vm = false
# lan = false
# host_users = false
`

const findOwner = (name: string) =>
  run(["getent", "passwd", name]).pipe(
    Effect.map((line) => {
      const [, , uid, gid, , home] = line.trim().split(":")
      return { name, uid: Number(uid), gid: Number(gid), home: home ?? "/" }
    }),
    Effect.mapError(() => new Refused({ problem: `there is no user ${name}`, fix: "banger system install --owner USER" })),
    Effect.filterOrFail(
      ({ uid }) => uid !== 0,
      () => new Refused({ problem: "root cannot own an install: its daemon would not be unprivileged", fix: "banger system install --owner USER" })
    )
  )

/** VMs run under uids of their own; a user database that hands those out would give somebody a VM's files. */
const uidsAreFree = run(["getent", "passwd", String(UID_BASE + 2)]).pipe(
  Effect.flatMap((line) => new Refused({ problem: `uids from ${UID_BASE} are in use: ${line.trim()}`, fix: "banger needs 1900000000 to 1900065535 for its VMs" })),
  Effect.catchTag("CommandFailed", () => Effect.void)
)

/** Bundles of the user's own that take the place of banger's (docs/custom-capabilities.md). */
export interface Bundles {
  readonly daemon: string | undefined
  readonly helper: string | undefined
}

const replacements = ({ daemon, helper }: Bundles) =>
  [{ from: daemon, name: "bangerd.mjs" }, { from: helper, name: "bangerd-root.mjs" }].flatMap(({ from, name }) =>
    from === undefined ? [] : [{ from: path.resolve(from), name }])

/** Before anything is changed. */
const areFiles = (bundles: Bundles) =>
  Effect.forEach(replacements(bundles), ({ from }) =>
    statSync(from, { throwIfNoEntry: false })?.isFile() === true
      ? Effect.void
      : new Refused({ problem: `${from} is not a file`, fix: "node packaging/build-daemon.ts ENTRY OUT.mjs makes a bundle" }), { discard: true })

/** A program that is missing is said at the end; one that others can change would be root's at the first VM. */
const isRootsAlone = (program: string) => {
  const place = changeableByOthers(program)
  return place === null
    ? Effect.void
    : new Refused({ problem: `others than root can change ${place}, and root runs ${program}`, fix: ownership(place) })
}

const copyRelease = (directory: string, bundles: Bundles) =>
  file(directory, async () => {
    await fs.mkdir(LIBRARY, { recursive: true, mode: 0o755 })
    const fresh = `${directory}.new`
    const old = `${directory}.old`
    await fs.rm(fresh, { recursive: true, force: true })
    await fs.cp(SOURCE, fresh, { recursive: true, preserveTimestamps: true })
    for (const { from, name } of replacements(bundles)) {
      await fs.copyFile(from, `${fresh}/lib/${name}`)
      await fs.chmod(`${fresh}/lib/${name}`, 0o644)
    }
    await fs.rm(old, { recursive: true, force: true })
    if (existsSync(directory)) await fs.rename(directory, old)
    await fs.rename(fresh, directory)
    await fs.rm(old, { recursive: true, force: true })
  }).pipe(
    Effect.zipRight(run(["chown", "-R", "root:root", directory])),
    // A build under a careless umask is writable by others.
    Effect.zipRight(run(["chmod", "-R", "go-w", directory]))
  )

/** A symbolic link, exchanged in one step. */
const link = (target: string, at: string) =>
  file(at, async () => {
    await fs.rm(`${at}.new`, { force: true })
    await fs.symlink(target, `${at}.new`)
    await fs.rename(`${at}.new`, at)
  })

const directories = (owner: InstallRecord["owner"]) =>
  Effect.forEach([
    { path: STATE, mode: 0o711 },
    { path: ROOT_STATE, mode: 0o711 },
    { path: `${ROOT_STATE}/vms`, mode: 0o711 },
    { path: JAILS, mode: 0o711 },
    { path: DAEMON_STATE, mode: 0o700, owner },
    // Root's, with leaves that are the owner's: nobody else can exchange what root changes here.
    { path: CACHE, mode: 0o711 },
    { path: STAGING, mode: 0o700, owner },
    { path: LAYERS, mode: 0o700, owner },
    { path: `${CACHE}/compiled`, mode: 0o700, owner }
  ], ({ mode, owner, path }) =>
    file(path, async () => {
      await fs.mkdir(path, { recursive: true, mode })
      const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      try {
        await directory.chown(owner?.uid ?? 0, owner?.gid ?? 0)
        await directory.chmod(mode)
      } finally {
        await directory.close()
      }
    }), { discard: true })

/** The key that logs in to guests, made by its owner, so that root writes nothing into a home. */
const ownersKey = ({ home, name }: InstallRecord["owner"]) => {
  const key = `${home}/.local/state/banger/ssh/id_ed25519`
  return run(["runuser", "-u", name, "--", "sh", "-c", `umask 077; mkdir -p "$(dirname "$1")" && { [ -f "$1" ] || ssh-keygen -q -t ed25519 -N "" -C banger -f "$1"; }`, "sh", key])
}

const system = (record: InstallRecord) =>
  Effect.gen(function*() {
    for (const unit of UNITS) {
      const template = yield* file(unit, () => fs.readFile(`${record.directory}/units/${unit}`, "utf8"))
      yield* writeWhole(`${UNIT_DIRECTORY}/${unit}`, rendered(template, record), 0o644)
    }
    for (const [path, content] of Object.entries(SETTINGS)) {
      yield* file(path, () => fs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true }))
      yield* writeWhole(path, content, 0o644)
    }
    yield* run(["systemd-tmpfiles", "--create", "banger.conf"])
    yield* run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    // A module that is built in, or missing, is doctor's to report.
    yield* Effect.forEach(["loop", "dm_snapshot", "tun"], (module) => version(["modprobe", module]))
    yield* run(["udevadm", "control", "--reload"])
    yield* reloadNetworkManagers
    yield* run(["systemctl", "daemon-reload"])
    yield* run(["systemctl", "enable", "--quiet", "--now", "bangerd-root.socket", "bangerd.socket"])
    yield* run(["systemctl", "enable", "--quiet", "bangerd-root.service", "bangerd.service"])
    yield* restart(record)
  })

/** Imports the running kernel as `host`, where it is not there yet: a fresh install needs no network. */
const hostKernel = ({ directory, owner }: InstallRecord) =>
  Effect.gen(function*() {
    const release = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()
    const asOwner = (...argv: ReadonlyArray<string>) => run(["runuser", "-u", owner.name, "--", `${directory}/bin/banger`, ...argv], { timeoutMs: 300_000 })
    // The services were started a moment ago; on a slow host the first answer may take longer than a client waits.
    const known = yield* asOwner("kernel", "list", "--json").pipe(Effect.retry({ times: 5, schedule: Schedule.spaced("1 second") }))
    if (known.includes(`"${release}"`)) return
    const vmlinuz = [`/boot/vmlinuz-${release}`, `/lib/modules/${release}/vmlinuz`].find(existsSync)
    if (vmlinuz === undefined) return yield* Console.error(`no kernel found for ${release}; banger kernel import --vmlinuz FILE --modules DIR adds one`)
    // Some distributions let only root read the kernel: the owner gets a copy for the length of the import.
    const copies = yield* file("/run", () => fs.mkdtemp("/run/banger-import-"))
    yield* Effect.ensuring(
      Effect.gen(function*() {
        yield* file(copies, () => fs.chmod(copies, 0o711))
        yield* run(["install", "-T", "-m", "0600", "-o", owner.name, vmlinuz, `${copies}/vmlinuz`])
        yield* asOwner("kernel", "import", "--name", "host", "--vmlinuz", `${copies}/vmlinuz`, "--modules", `/lib/modules/${release}`)
      }),
      Effect.ignoreLogged(file(copies, () => fs.rm(copies, { recursive: true, force: true })))
    )
    yield* Console.error(`kernel ${release} is imported as host`)
  })

/** Idempotent; a second install replaces the first in place, and VMs run on. */
export const install = (ownerName: string, bundles: Bundles) =>
  Effect.gen(function*() {
    if (!existsSync("/run/systemd/system")) return yield* new Refused({ problem: "systemd does not run this host", fix: "banger keeps its VMs as systemd units" })
    const owner = yield* findOwner(ownerName)
    const before = yield* Effect.option(installRecord)
    if (before._tag === "Some" && before.value.owner.name !== owner.name) {
      return yield* new Refused({ problem: `banger is installed for ${before.value.owner.name}`, fix: "banger system uninstall first: its VMs belong to that user" })
    }
    yield* uidsAreFree
    yield* areFiles(bundles)
    yield* refuseCidrInUse
    const firecracker = toolPath("firecracker") ?? "/usr/local/bin/firecracker"
    const jailer = `${path.dirname(firecracker)}/jailer`
    yield* Effect.forEach([firecracker, jailer], isRootsAlone)
    const record: InstallRecord = {
      version: VERSION,
      directory: `${LIBRARY}/${VERSION}`,
      owner,
      firecracker,
      jailer,
      ipForward: before._tag === "Some" ? before.value.ipForward : readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim()
    }
    yield* copyRelease(record.directory, bundles)
    yield* writeWhole(`${record.directory}/bin/banger`, launcher(record.directory), 0o755)
    yield* link(`${record.directory}/bin/banger`, COMMAND)
    yield* file("/etc/banger", () => fs.mkdir("/etc/banger", { recursive: true, mode: 0o755 }))
    yield* writeWhole(INSTALL_RECORD, JSON.stringify(record, null, 2) + "\n", 0o644)
    if (!existsSync(HOST_CONFIG)) yield* writeWhole(HOST_CONFIG, HOST_TOML, 0o644)
    yield* directories(owner)
    yield* ownersKey(owner)
    yield* system(record)
    if (!existsSync(firecracker)) yield* Console.error("firecracker is missing: put firecracker and jailer into /usr/local/bin and install again")
    yield* hostKernel(record)
    yield* Effect.forEach(replacements(bundles), ({ from, name }) => Console.error(`lib/${name} is ${from}; an install from banger's build without that flag brings back banger's own`))
    yield* Console.error(`banger ${VERSION} is installed for ${owner.name}. banger doctor checks the host; banger vm run starts a VM.`)
  })
