import type { Command } from "./command.ts"
import benchCreate from "../commands/bench/create.ts"
import bundleExport from "../commands/bundle/export.ts"
import bundleImport from "../commands/bundle/import.ts"
import configShow from "../commands/config/show.ts"
import daemonSocket from "../commands/daemon/socket.ts"
import daemonStatus from "../commands/daemon/status.ts"
import daemonStop from "../commands/daemon/stop.ts"
import catalog from "../commands/host/catalog.ts"
import completion from "../commands/host/completion.ts"
import df from "../commands/host/df.ts"
import doctor from "../commands/host/doctor.ts"
import imageBuild from "../commands/image/build.ts"
import imageDelete from "../commands/image/delete.ts"
import imageExport from "../commands/image/export.ts"
import imageImport from "../commands/image/import.ts"
import imageList from "../commands/image/list.ts"
import imagePull from "../commands/image/pull.ts"
import imageRegister from "../commands/image/register.ts"
import imageShow from "../commands/image/show.ts"
import internalNatDown from "../commands/internal/nat-down.ts"
import internalNatUp from "../commands/internal/nat-up.ts"
import kernelDelete from "../commands/kernel/delete.ts"
import kernelImport from "../commands/kernel/import.ts"
import kernelList from "../commands/kernel/list.ts"
import kernelPull from "../commands/kernel/pull.ts"
import prune from "../commands/host/prune.ts"
import sshConfig from "../commands/host/ssh-config.ts"
import systemApply from "../commands/system/apply.ts"
import systemInstall from "../commands/system/install.ts"
import systemRestart from "../commands/system/restart.ts"
import systemStatus from "../commands/system/status.ts"
import systemUninstall from "../commands/system/uninstall.ts"
import tui from "../commands/host/tui.ts"
import vmCp from "../commands/vm/cp.ts"
import vmCreate from "../commands/vm/create.ts"
import vmDelete from "../commands/vm/delete.ts"
import vmDiff from "../commands/vm/diff.ts"
import vmExec from "../commands/vm/exec.ts"
import vmKill from "../commands/vm/kill.ts"
import vmList from "../commands/vm/list.ts"
import vmLogs from "../commands/vm/logs.ts"
import vmPorts from "../commands/vm/ports.ts"
import vmPull from "../commands/vm/pull.ts"
import vmRename from "../commands/vm/rename.ts"
import vmRestart from "../commands/vm/restart.ts"
import vmRun from "../commands/vm/run.ts"
import vmSet from "../commands/vm/set.ts"
import vmShow from "../commands/vm/show.ts"
import vmSsh from "../commands/vm/ssh.ts"
import vmStart from "../commands/vm/start.ts"
import vmStats from "../commands/vm/stats.ts"
import vmStop from "../commands/vm/stop.ts"
import vmWait from "../commands/vm/wait.ts"
import vmWorkspacePrepare from "../commands/vm/workspace-prepare.ts"

export interface Entry {
  readonly summary: string
  readonly command: Command
}

const COMMANDS: ReadonlyArray<readonly [command: Command, summary: string]> = [
  [vmRun, "a fresh VM with a repository in it: a shell, or one command"],
  [vmCreate, "create and boot a VM"],
  [vmList, "the VMs"],
  [vmShow, "everything about one VM"],
  [vmStart, "start stopped VMs"],
  [vmStop, "stop VMs in order"],
  [vmRestart, "stop and start VMs"],
  [vmSet, "change memory, vCPUs, disk or NAT of VMs"],
  [vmRename, "give a VM another name"],
  [vmWait, "wait until a VM is ready, takes ssh, or is stopped"],
  [vmKill, "send a signal to VMs"],
  [vmDelete, "delete VMs and their disks"],
  [vmExec, "run a command in a VM"],
  [vmCp, "copy files into a VM, or out of it"],
  [vmWorkspacePrepare, "send a repository into a VM that runs"],
  [vmDiff, "what changed in a VM's repository"],
  [vmPull, "a VM's commits, into a branch here"],
  [vmPorts, "what listens in a VM, and where a browser finds it"],
  [vmStats, "what VMs take of this host"],
  [vmSsh, "ssh into a VM"],
  [vmLogs, "a VM's console, or what the daemon did with it"],
  [imageList, "the images"],
  [imageShow, "one image"],
  [imagePull, "make an image of the catalog, or of a container image of a registry"],
  [imageImport, "make an image of a container image in a file"],
  [imageBuild, "make an image by a script, in a VM"],
  [imageExport, "write an image into one file, for other hosts"],
  [imageRegister, "make an image of a root file system"],
  [imageDelete, "delete an image"],
  [bundleExport, "write images, kernels and Firecracker into one file"],
  [bundleImport, "take what a bundle holds"],
  [kernelList, "the kernels"],
  [kernelPull, "import a kernel of the catalog"],
  [kernelImport, "import a kernel and its modules"],
  [kernelDelete, "delete a kernel"],
  [catalog, "what can be pulled by its name"],
  [df, "what banger keeps on the disk"],
  [prune, "remove what nothing uses"],
  [tui, "all VMs on a screen, with keys"],
  [doctor, "check the host, and say how to mend it"],
  [sshConfig, "make ssh, scp, rsync and editors know VMs as NAME.vm"],
  [completion, "print a shell's completion script"],
  [benchCreate, "how long VMs take to be created, to take ssh, and to be deleted"],
  [configShow, "the configuration that counts, and where each value comes from"],
  [daemonStatus, "what the daemon is and does"],
  [daemonSocket, "the path of the daemon's socket"],
  [daemonStop, "stop the daemon; VMs keep running"],
  [systemInstall, "install or upgrade banger on this host"],
  [systemApply, "make what you wish of the host count: network, reserve, Firecracker"],
  [systemStatus, "the state of banger's services"],
  [systemRestart, "restart banger's services; VMs keep running"],
  [systemUninstall, "remove banger from this host"],
  [internalNatUp, "let a machine behind a TAP of your own reach the world"],
  [internalNatDown, "take that back"]
]

/** Every command by the words that name it. */
export const TREE: ReadonlyMap<string, Entry> = new Map(COMMANDS.map(([command, summary]) => [command.path, { command, summary }]))

/** What the first words of several stand for, in the order of the help; its commands are those of the tree that begin with it. */
export const GROUPS: ReadonlyMap<string, { readonly title: string; readonly summary: string }> = new Map([
  ["vm", { title: "VMs", summary: "create, use and delete VMs" }],
  ["image", { title: "Images", summary: "what VMs are made of" }],
  ["kernel", { title: "Kernels", summary: "what VMs boot" }],
  ["bundle", { title: "Bundles", summary: "images and kernels in one file, for other hosts" }],
  ["bench", { title: "Bench", summary: "how fast banger is on this host" }],
  ["config", { title: "Configuration", summary: "what banger does where no flag says otherwise" }],
  ["daemon", { title: "Daemon", summary: "the daemon of this host" }],
  ["system", { title: "System", summary: "banger's install on this host" }],
  ["internal", { title: "Internal", summary: "parts of banger, for who runs Firecracker in ways of their own" }]
])

/** Short forms of the commands that are typed most. */
const SHORT_FORMS: ReadonlyArray<readonly [word: string, command: Command]> = [
  ["run", vmRun], ["exec", vmExec], ["cp", vmCp], ["sh", vmSsh], ["ls", vmList], ["ps", vmList], ["start", vmStart], ["stop", vmStop], ["rm", vmDelete], ["logs", vmLogs]
]

/** The command that each short form stands for. */
export const SHORT: ReadonlyMap<string, Entry> = new Map(SHORT_FORMS.flatMap(([word, { path }]) => {
  const entry = TREE.get(path)
  return entry === undefined ? [] : [[word, entry]]
}))

/** What the help shows first. */
export const COMMON: ReadonlyArray<Command> = [vmRun, vmExec, vmSsh, vmList, vmStop, vmDelete, imageList]

export const EXAMPLES: ReadonlyArray<string> = [
  "banger vm run ./repo -- make test    # a fresh VM, the repository in it, one command",
  "banger vm run --rm                   # a shell in a VM that is gone afterwards",
  "banger doctor                        # is this host ready?"
]
