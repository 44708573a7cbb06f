import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BadConfig, decodeToml, key, optional, Size } from "./config-file.ts"
import { HOST_KEYS } from "./host-config.ts"
import { ImageName, KernelName } from "./ids.ts"
import { DEFAULT_DISK_MIB, DiskMib, MemoryMib, Vcpu } from "./vm.ts"

/** Of a proxy. */
const Address = Schema.String.pipe(
  Schema.filter((text) => /^(https?|socks5h?):$/.test(URL.parse(text)?.protocol ?? "") || "expected an address such as http://proxy.example:3128")
)

/** Variables of a recipe's script with their values: where its sources are, what it installs. */
export const Parameters = Schema.Record({
  key: Schema.String.pipe(Schema.pattern(/^[A-Z][A-Z0-9_]*$/, { message: () => "expected a name such as DEBIAN_MIRROR" })),
  value: Schema.String
})
export type Parameters = typeof Parameters.Type

/** How much of a repository's history `vm run` sends. */
export const HistoryMode = Schema.Literal("auto", "shallow", "full").annotations({ message: () => ({ message: "expected auto, shallow or full", override: true }) })
export type HistoryMode = typeof HistoryMode.Type

/** Absolute, or below a home. */
const isPath = (text: string) => /^(?:~\/|\/)[^\0]*$/.test(text) && !text.split("/").some((part) => part === "." || part === "..")

/** A file or directory of the owner's that each new VM gets a copy of. */
const FileSync = Schema.Struct({
  host: Schema.String.pipe(Schema.filter((text) => isPath(text) || "expected a path in your home, such as ~/.config/gh/hosts.yml")),
  guest: Schema.String.pipe(Schema.filter((text) => isPath(text) && /^(?:~|\/root)\/+[^/]/.test(text) || "expected a path below /root, such as ~/.config/gh/hosts.yml")),
  mode: optional(Schema.String.pipe(Schema.filter((text) => /^0?[0-7]{3}$/.test(text) || "expected an octal mode such as \"0600\"")))
})
export type FileSync = typeof FileSync.Type

/** The image and the kernel of a VM for which nobody names another. */
export const DEFAULT_IMAGE = ImageName.make("debian-bookworm")
export const DEFAULT_KERNEL = KernelName.make("host")

/** TAPs that are made ahead where the file does not say how many. */
export const DEFAULT_POOL_SIZE = 4

/** Where the owner's key is that logs in to guests, unless the file names another; the install makes it. */
const DEFAULT_SSH_KEY = "~/.local/state/banger/ssh/id_ed25519"

/** How much the daemon's log tells, the least first. */
export const LogLevelName = Schema.Literal("error", "warn", "info", "debug").annotations({ message: () => ({ message: "expected debug, info, warn or error", override: true }) })
export type LogLevelName = typeof LogLevelName.Type
export const DEFAULT_LOG_LEVEL: LogLevelName = "info"

const OWN_KEYS = {
  default_image_name: optional(ImageName.pipe(key("image without `--image`", { fallback: DEFAULT_IMAGE }))),
  default_kernel: optional(KernelName.pipe(key("kernel without `--kernel`, when the image names none", { fallback: DEFAULT_KERNEL }))),
  namegen_path: optional(Schema.String.pipe(key("a program that prints the name of a new VM; without it an adjective and a noun"))),
  ssh_key_path: optional(Schema.String.pipe(
    // It stands in a configuration of ssh, which knows no way to write some characters.
    // oxlint-disable-next-line no-control-regex
    Schema.filter((text) => (isPath(text) && !/(?:\.pub|\/)$|[\x00-\x1f\x7f"$\\]/.test(text)) || "expected the path of a private key, absolute or in your home: ~/.ssh/banger"),
    key("the private key that logs in to guests, with its `.pub` beside it. A VM takes it from its next start on", { fallback: DEFAULT_SSH_KEY })
  )),
  log_level: optional(LogLevelName.pipe(key("how much the daemon's log tells: `debug`, `info`, `warn` or `error`. Read when the daemon starts; `BANGER_LOG_LEVEL` in its environment wins", { fallback: DEFAULT_LOG_LEVEL }))),
  tap_pool_size: optional(Schema.Int.pipe(
    Schema.between(0, 64, { message: () => "expected a number of TAPs from 0 to 64" }),
    key("TAPs made ahead, 0 to 64; counts when the next VM is made or deleted", { fallback: DEFAULT_POOL_SIZE })
  )),
  catalog: optional(Schema.Struct({
    urls: optional(Schema.Array(Schema.String).pipe(key("catalogs that are asked before banger's own ([images.md](images.md))", { fallback: [] }))),
    mirrors: optional(Schema.Record({ key: Schema.String, value: Schema.String }).pipe(key("by registry, a host that is asked first: `\"docker.io\" = \"registry.example:5000\"`"))),
    parameters: optional(Schema.Record({ key: ImageName, value: Parameters }).pipe(key("by recipe, what its script's variables are instead of their defaults: where sources are, what is installed")))
  })),
  proxy: optional(Schema.Struct({
    http: optional(Address.pipe(key("where fetching goes through when the command's environment names no proxy: `\"http://proxy.example:3128\"`. For pulls, catalogs, bundles, kernels and the scripts of builds"))),
    https: optional(Address.pipe(key("the same for what is fetched by https"))),
    no_proxy: optional(Schema.String.pipe(key("hosts that are reached without it: `\"localhost,.example.org\"`")))
  })),
  vm_defaults: optional(Schema.Struct({
    vcpu: optional(Vcpu.pipe(key("1, or an even number up to 32", { words: "a quarter of the host's CPUs: 1, 2 or 4" }))),
    memory_mib: optional(MemoryMib.pipe(key("MiB", { words: "an eighth of the host's memory: 512 to 8192" }))),
    disk_size: optional(Schema.compose(Size, DiskMib).pipe(key("the work disk, `/root`: `512M`, `16G`, `1T`", { fallback: "8G" }))),
    nat: optional(Schema.Boolean.pipe(key("whether the guest reaches the world", { fallback: true })))
  })),
  file_sync: optional(Schema.Array(FileSync).pipe(key("files and directories of yours that each new VM gets a copy of: tables of `host`, `guest` and `mode`, below", { fallback: [] }))),
  vm_run: optional(Schema.Struct({
    history: optional(HistoryMode.pipe(key("what `vm run` sends of a repository's history: `full`, `shallow`, or `auto` ([workspaces.md](workspaces.md))", { fallback: "auto" })))
  }))
}

/** The keys that the owner's file alone has. */
export const OwnConfig = Schema.Struct(OWN_KEYS)

/** ~/.config/banger/config.toml: the owner's, read anew by each operation. What root trusts is not in it: the host's keys are a wish. */
export const UserConfig = Schema.Struct({ ...OWN_KEYS, ...HOST_KEYS })
export type UserConfig = typeof UserConfig.Type

const MIB = 2 ** 20

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

/** What a VM gets of this host where the file says nothing: a quarter of its CPUs, an eighth of its memory. */
export const hostDefaults = (cpus: number, memoryBytes: number) => {
  const quarter = clamp(Math.floor(cpus / 4), 1, 4)
  return {
    // Firecracker takes 1 or an even number.
    vcpu: quarter === 3 ? 2 : quarter,
    memoryMib: clamp(Math.floor(memoryBytes / 8 / MIB), 512, 8192),
    diskMib: DEFAULT_DISK_MIB,
    nat: true
  }
}

/** The owner's key that logs in to guests, with its .pub beside it. */
export const sshKeyOf = ({ ssh_key_path = DEFAULT_SSH_KEY }: Pick<UserConfig, "ssh_key_path">, home: string): string => ssh_key_path.replace(/^~(?=\/)/, home)

/** The text of the user's configuration; a file that is not there is an empty one. */
export const decodeConfig = (path: string, text: string): Effect.Effect<UserConfig, BadConfig> =>
  Effect.mapError(decodeToml(UserConfig, text), (problem) => new BadConfig({ path, problem }))
