import { constants, lstatSync, readdirSync } from "node:fs"
import * as fs from "node:fs/promises"
import { run, UNLIMITED } from "@banger/capabilities/exec.ts"
import { file } from "@banger/capabilities/files.ts"
import { CACHE, DAEMON_STATE, JAILS, LAYERS, ROOT_STATE, STAGING, STATE } from "@banger/capabilities/paths.ts"
import { sshKeyOf } from "@banger/domain/config.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { InstallRecord } from "../settings.ts"
import { Refused } from "./refused.ts"

type Owner = InstallRecord["owner"]

export const findOwner = (name: string) =>
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

/** The owner's part of banger's state: all of it changes hands, or none. */
const OWNERS = [DAEMON_STATE, STAGING, LAYERS, `${CACHE}/compiled`]

const directories = (owner: Owner) =>
  Effect.forEach([
    { path: STATE, mode: 0o711 },
    { path: ROOT_STATE, mode: 0o711 },
    { path: `${ROOT_STATE}/vms`, mode: 0o711 },
    { path: JAILS, mode: 0o711 },
    // Root's, with leaves that are the owner's: nobody else can exchange what root changes here.
    { path: CACHE, mode: 0o711 },
    ...OWNERS.map((path) => ({ path, mode: 0o700, owner }))
  ], ({ mode, owner, path }: { readonly path: string; readonly mode: number; readonly owner?: Owner }) =>
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

/** Whose the state is that stands here, of an install or of one that was removed; undefined when there is none. */
const holder = (): number | undefined => lstatSync(DAEMON_STATE, { throwIfNoEntry: false })?.uid

const userOf = (uid: number) =>
  run(["getent", "passwd", String(uid)]).pipe(
    Effect.map((line) => line.split(":")[0] ?? String(uid)),
    Effect.orElseSucceed(() => `uid ${uid}`)
  )

const vms = (): number => {
  try {
    return readdirSync(`${ROOT_STATE}/vms`).length
  } catch {
    return 0
  }
}

/** Images and kernels may change hands; a VM's disks hold what its owner has put there, and are not given to another user. */
export const refuseOthersVms = (owner: Owner) =>
  Effect.gen(function*() {
    const uid = holder()
    if (uid === undefined || uid === owner.uid || vms() === 0) return
    const former = yield* userOf(uid)
    return yield* new Refused({
      problem: `${vms()} VMs of ${former} are on this host, and an install for ${owner.name} would give away their disks`,
      fix: `as ${former}: banger vm delete --force --yes NAME...; or, images too: sudo banger system uninstall --stop --purge`
    })
  })

/**
 * Gives the state of another owner, without VMs, to this one. Deepest first, so that the directory by which the holder is known
 * changes last and an install that was killed goes on; by directory and without following links, since it was that owner's.
 */
const handOver = ({ gid, name, uid }: Owner) =>
  Effect.gen(function*() {
    const former = holder()
    if (former === undefined || former === uid) return
    yield* Effect.ignore(run(["systemctl", "stop", "bangerd.socket", "bangerd.service", "bangerd-root.socket", "bangerd-root.service"], { timeoutMs: 180_000 }))
    const standing = OWNERS.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    for (const path of standing.toReversed()) {
      yield* run(["find", "-P", path, "-depth", "-user", String(former), "-execdir", "chown", "-h", `${uid}:${gid}`, "{}", "+"], { timeoutMs: UNLIMITED })
    }
    yield* Console.error(`images and kernels of ${yield* userOf(former)} are ${name}'s now`)
  })

/** The directories of banger, each with its owner. */
export const state = (owner: Owner) => Effect.zipRight(handOver(owner), directories(owner))

/** The key that logs in to guests, made by its owner, so that root writes nothing into a home. */
export const keyPair = ({ home, name }: Owner) => {
  const key = sshKeyOf({}, home)
  return run(["runuser", "-u", name, "--", "sh", "-c", `umask 077; mkdir -p "$(dirname "$1")" && { [ -f "$1" ] || ssh-keygen -q -t ed25519 -N "" -C banger -f "$1"; }`, "sh", key])
}
