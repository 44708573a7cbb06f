import { existsSync, readFileSync } from "node:fs"
import * as path from "node:path"

/**
 * The few places on a host that the command line knows; the rest it asks the daemon for. The same as in
 * packages/capabilities/src/paths.ts, which it must not import (failure.test.ts compares them).
 */
export const daemonSocket = () => process.env["BANGER_SOCKET"] ?? "/run/banger/bangerd.sock"
export const staging = () => process.env["BANGER_STAGING"] ?? "/var/cache/banger/staging"
/** What was downloaded, by digest. */
export const LAYERS = "/var/cache/banger/layers"
/** Files of images, by digest: the owner may read them. */
export const STORE = "/var/lib/banger/root/store"
export const KNOWN_HOSTS = "/var/lib/banger/daemon/ssh/known_hosts"
/** Two files of the daemon's that a configuration of ssh may include: the first has the VMs as hosts, the second starts a VM that is stopped. */
export const SSH_CONFIG = "/var/lib/banger/daemon/ssh/config"
export const SSH_AUTOSTART = "/var/lib/banger/daemon/ssh/autostart"

/** Made by install; there is nothing else by which a missing install differs from a stopped one. */
export const INSTALL_RECORD = "/etc/systemd/system/bangerd.socket"

/** A bundle of the install or build whose bin/node runs us. */
export const beside = (name: `${string}.mjs`) => path.join(path.dirname(process.execPath), "../lib", name)

/** The command of the build that runs us, as it is typed where banger is not installed. */
export const ownCommand = () => {
  const own = path.join(path.dirname(process.execPath), "banger")
  return existsSync(own) ? own : "./build/bin/banger"
}

/** What install has written down of this host (packages/root-helper/src/settings.ts); nothing where it is not installed, or half. */
const installed = (): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(readFileSync("/etc/banger/install.json", "utf8"))
  } catch {
    return {}
  }
}

const textOr = (value: unknown, otherwise: string) => typeof value === "string" ? value : otherwise

/** `banger` as sudo finds it: install has seen which. */
export const sudoCommand = () => textOr(installed()["command"], "banger")

/** The Firecracker that the install found; before an install the one that it would look for first. */
export const foundFirecracker = () => textOr(installed()["firecracker"], "/usr/local/bin/firecracker")

/** A program of the same. */
export const program = (name: string) => path.join(path.dirname(process.execPath), name)
