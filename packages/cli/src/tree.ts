import type { Command } from "./command.ts"

export interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ readonly default: Command }>
}

/** Every command by the words that name it. A module is loaded only when its command runs or is explained. */
export const TREE: ReadonlyMap<string, Entry> = new Map(Object.entries<Entry>({
  "vm run": { summary: "a fresh VM with a repository in it: a shell, or one command", load: () => import("./commands/vm-run.ts") },
  "vm create": { summary: "create and boot a VM", load: () => import("./commands/vm-create.ts") },
  "vm list": { summary: "the VMs", load: () => import("./commands/vm-list.ts") },
  "vm show": { summary: "everything about one VM", load: () => import("./commands/vm-show.ts") },
  "vm start": { summary: "start stopped VMs", load: () => import("./commands/vm-start.ts") },
  "vm stop": { summary: "stop VMs in order", load: () => import("./commands/vm-stop.ts") },
  "vm restart": { summary: "stop and start VMs", load: () => import("./commands/vm-restart.ts") },
  "vm kill": { summary: "send a signal to VMs", load: () => import("./commands/vm-kill.ts") },
  "vm delete": { summary: "delete VMs and their disks", load: () => import("./commands/vm-delete.ts") },
  "vm exec": { summary: "run a command in a VM", load: () => import("./commands/vm-exec.ts") },
  "vm ssh": { summary: "ssh into a VM", load: () => import("./commands/vm-ssh.ts") },
  "vm logs": { summary: "a VM's console, or what the daemon did with it", load: () => import("./commands/vm-logs.ts") },
  "image list": { summary: "the images", load: () => import("./commands/image-list.ts") },
  "image show": { summary: "one image", load: () => import("./commands/image-show.ts") },
  "image pull": { summary: "make an image of the catalog, or of a container image of a registry", load: () => import("./commands/image-pull.ts") },
  "image import": { summary: "make an image of a container image in a file", load: () => import("./commands/image-import.ts") },
  "image build": { summary: "make an image by a script, in a VM", load: () => import("./commands/image-build.ts") },
  "image export": { summary: "write an image into one file, for other hosts", load: () => import("./commands/image-export.ts") },
  "image register": { summary: "make an image of a root file system", load: () => import("./commands/image-register.ts") },
  "image delete": { summary: "delete an image", load: () => import("./commands/image-delete.ts") },
  "bundle export": { summary: "write images, kernels and Firecracker into one file", load: () => import("./commands/bundle-export.ts") },
  "bundle import": { summary: "take what a bundle holds", load: () => import("./commands/bundle-import.ts") },
  "kernel list": { summary: "the kernels", load: () => import("./commands/kernel-list.ts") },
  "kernel pull": { summary: "import a kernel of the catalog", load: () => import("./commands/kernel-pull.ts") },
  "kernel import": { summary: "import a kernel and its modules", load: () => import("./commands/kernel-import.ts") },
  "kernel delete": { summary: "delete a kernel", load: () => import("./commands/kernel-delete.ts") },
  "df": { summary: "what banger keeps on the disk", load: () => import("./commands/df.ts") },
  "prune": { summary: "remove what nothing uses", load: () => import("./commands/prune.ts") },
  "doctor": { summary: "check the host, and say how to mend it", load: () => import("./commands/doctor.ts") },
  "daemon status": { summary: "what the daemon is and does", load: () => import("./commands/daemon-status.ts") },
  "daemon socket": { summary: "the path of the daemon's socket", load: () => import("./commands/daemon-socket.ts") },
  "daemon stop": { summary: "stop the daemon; VMs keep running", load: () => import("./commands/daemon-stop.ts") },
  "system install": { summary: "install or upgrade banger on this host", load: () => import("./commands/system-install.ts") },
  "system status": { summary: "the state of banger's services", load: () => import("./commands/system-status.ts") },
  "system restart": { summary: "restart banger's services; VMs keep running", load: () => import("./commands/system-restart.ts") },
  "system uninstall": { summary: "remove banger from this host", load: () => import("./commands/system-uninstall.ts") }
}))

export const EXAMPLES: ReadonlyArray<string> = [
  "banger vm run ./repo -- make test    # a fresh VM, the repository in it, one command",
  "banger vm run --rm                   # a shell in a VM that is gone afterwards",
  "banger doctor                        # is this host ready?"
]
