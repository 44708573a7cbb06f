import { TREE } from "./tree.ts"

/** What other tools of the kind (docker, multipass, lima, virsh, vagrant) call what banger calls otherwise. */
const VERBS: Readonly<Record<string, string>> = {
  attach: "ssh", console: "logs", copy: "cp", describe: "show", destroy: "delete", down: "stop", edit: "set", halt: "stop", info: "show", inspect: "show",
  launch: "run", load: "import", log: "logs", ls: "list", mv: "rename", new: "create", ps: "list", push: "cp", reboot: "restart", remove: "delete",
  rm: "delete", save: "export", sh: "ssh", shell: "ssh", shutdown: "stop", terminate: "delete", top: "stats", up: "start", view: "show"
}

/** The same of whole commands: a word that stands for another group's. */
const COMMANDS: Readonly<Record<string, string>> = {
  build: "image build", clean: "prune", gc: "prune", images: "image list", install: "system install", kernels: "kernel list", pull: "image pull",
  uninstall: "system uninstall", update: "system install", upgrade: "system install", vms: "vm list"
}

/** The commands that a word of another tool's stands for, in a group or, where none is named, among VMs. */
export const synonyms = (group: string, word: string): ReadonlyArray<string> => {
  const verb = VERBS[word] ?? word
  return [`${group === "" ? "vm" : group} ${verb}`, COMMANDS[word] ?? ""].filter((path) => TREE.has(path) && path !== `${group} ${word}`)
}
