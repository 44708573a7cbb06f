import { readFileSync } from "node:fs"
import { type Mend, mend } from "@banger/domain/readiness.ts"

type Tool = "ip" | "nft" | "iptables" | "dmsetup" | "losetup" | "ssh-keygen"

interface Family {
  /** As ID or ID_LIKE of os-release name it. */
  readonly names: ReadonlyArray<string>
  readonly install: string
  readonly packages: Readonly<Record<Tool, string>>
}

const FAMILIES: ReadonlyArray<Family> = [
  {
    names: ["debian", "ubuntu"],
    install: "sudo apt-get install -y",
    packages: { ip: "iproute2", nft: "nftables", iptables: "iptables", dmsetup: "dmsetup", losetup: "mount", "ssh-keygen": "openssh-client" }
  },
  {
    names: ["fedora", "rhel", "centos"],
    install: "sudo dnf install -y",
    packages: { ip: "iproute", nft: "nftables", iptables: "iptables-nft", dmsetup: "device-mapper", losetup: "util-linux", "ssh-keygen": "openssh" }
  },
  {
    names: ["arch"],
    install: "sudo pacman -S --needed --noconfirm",
    packages: { ip: "iproute2", nft: "nftables", iptables: "iptables", dmsetup: "device-mapper", losetup: "util-linux", "ssh-keygen": "openssh" }
  },
  {
    names: ["suse", "opensuse"],
    install: "sudo zypper --non-interactive install",
    packages: { ip: "iproute2", nft: "nftables", iptables: "iptables", dmsetup: "device-mapper", losetup: "util-linux", "ssh-keygen": "openssh-common" }
  }
]

const hosts = (): string => {
  try {
    return readFileSync("/etc/os-release", "utf8")
  } catch {
    // A host without one is of no family that we know.
    return ""
  }
}

/** What installs a host tool on this distribution; words where it is none that we know. */
export const installs = (tool: Tool, osRelease: string = hosts()): Mend | string => {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((match) => match[1]?.split(" ") ?? [])
  const family = FAMILIES.find(({ names }) => names.some((name) => ids.includes(name)))
  return family === undefined ? `install the package that has ${tool}` : mend(`${family.install} ${family.packages[tool]}`)
}
