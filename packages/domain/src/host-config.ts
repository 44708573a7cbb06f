/**
 * The keys that root goes by, in /etc/banger/host.toml. The owner's file may have them too, as a wish: what it says has no
 * effect until `system apply` has checked it and written it into root's.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BadConfig, decodeToml, HOST_CONFIG, key, keysOf, optional, Size, valueAt } from "./config-file.ts"
import { Cidr } from "./network.ts"

const DEFAULT_CIDR = Cidr.make("172.16.0.0/24")

/** MiB. */
const DEFAULT_RESERVE = 2048
/** MiB. No disk takes the least between two looks at it (packages/daemon/src/vms/room.ts). */
const [LEAST, MOST] = [1024, 1024 ** 2]

const off = (about: string) => optional(Schema.Boolean.pipe(key(about, { fallback: false })))

/** It stands in a systemd unit, where other characters mean something. */
const Program = Schema.String.pipe(
  Schema.filter((text) => (/^(?:\/[\w.+@-]+)+$/.test(text) && text.length <= 200 && !text.split("/").some((part) => part === "." || part === "..")) ||
    "expected the absolute path of a program, of letters, digits and ._+@-")
)

export const HOST_KEYS = {
  firecracker_bin: optional(Program.pipe(key(
    "the Firecracker that VMs run in, with the `jailer` of its version beside it; nobody but root may be able to change either, along the whole path. A VM gets it at its next start",
    { words: "the one that the install finds: in `/usr/local/bin`, `/usr/bin`" }
  ))),
  network: optional(Schema.Struct({
    cidr: optional(Cidr.pipe(key("the VMs' network, prefix 16 to 29; changes while no VM runs. A VM's address changes with it at its next start", { fallback: DEFAULT_CIDR }))),
    vm_to_vm: off("guests may reach each other"),
    lan: off("guests may reach private networks (10/8, 172.16/12, 192.168/16, 100.64/10) through the host"),
    host_users: off("other users of the host than root and the owner may open connections to guests")
  })),
  storage: optional(Schema.Struct({
    reserve: optional(Size.pipe(
      Schema.compose(Schema.Int.pipe(Schema.between(LEAST, MOST, { message: () => "expected a size from 1G to 1T" }))),
      key("what is kept free where VMs' disks lie: nothing of banger's is written into it, and running VMs are paused before it is reached; 1G to 1T ([operations.md](operations.md#when-the-disk-fills-up))", { fallback: "2G" })
    ))
  }))
}

/** What a file says of the host's keys, root's or the owner's. */
export const HostConfig = Schema.Struct(HOST_KEYS)
export type HostConfig = typeof HostConfig.Type

/** The text of root's file; one that is not there is empty. */
export const decodeHostConfig = (text: string): Effect.Effect<HostConfig, BadConfig> =>
  Effect.mapError(decodeToml(HostConfig, text), (problem) => new BadConfig({ path: HOST_CONFIG, problem }))

/** What counts: a key that a file does not have has its default. */
export const hostValues = ({ firecracker_bin, network = {}, storage = {} }: HostConfig) => ({
  firecracker: firecracker_bin,
  cidr: network.cidr ?? DEFAULT_CIDR,
  vmToVm: network.vm_to_vm ?? false,
  lan: network.lan ?? false,
  hostUsers: network.host_users ?? false,
  reserveBytes: (storage.reserve ?? DEFAULT_RESERVE) * 2 ** 20
})
export type HostValues = ReturnType<typeof hostValues>

/** The host's keys of a file that may have others. */
export const wishOf = ({ firecracker_bin, network, storage }: HostConfig): HostConfig => ({
  ...(firecracker_bin !== undefined && { firecracker_bin }),
  ...(network !== undefined && { network }),
  ...(storage !== undefined && { storage })
})

/** What a file says after a wish: keys that the wish does not name stay. */
export const withWish = (host: HostConfig, wish: HostConfig): HostConfig => ({
  ...host,
  ...wishOf(wish),
  ...((host.network ?? wish.network) !== undefined && { network: { ...host.network, ...wish.network } }),
  ...((host.storage ?? wish.storage) !== undefined && { storage: { ...host.storage, ...wish.storage } })
})

/** A key whose value another file would change: both as TOML has them; `from` is undefined where there is neither a value nor a default. */
export interface Difference {
  readonly key: string
  readonly from: string | boolean | undefined
  readonly to: string | boolean
}

const encoded = Schema.encodeSync(HostConfig)

/** What a wish would change. A key that it does not name, or names with the value that counts anyway, is none. */
export const differences = (host: HostConfig, wish: HostConfig): ReadonlyArray<Difference> => {
  const [has, wanted] = [encoded(host), encoded(wishOf(wish))]
  return keysOf(HostConfig).flatMap(({ fallback, name }) => {
    const from = (valueAt(has, name) ?? fallback) as Difference["from"]
    const to = valueAt(wanted, name) as Difference["from"]
    return to === undefined || to === from ? [] : [{ key: name, from, to }]
  })
}

/** `network.lan: false -> true` */
export const inWords = ({ from, key, to }: Difference): string => `${key}: ${from === undefined ? "none" : JSON.stringify(from)} -> ${JSON.stringify(to)}`
