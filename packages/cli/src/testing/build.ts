import * as fs from "node:fs"
import { bundle, NODE } from "../../../../packaging/bundle.ts"
import { shipped } from "./command-line.ts"

const LAUNCHER = new URL("../../../../packaging/launcher", import.meta.url)
const TUI = new URL("../tui/main.ts", import.meta.url).pathname

/** The command as a build has it: launcher, Node, snapshot, and the bundle of its screen. Gives the launcher's path. */
export const buildInto = async (directory: string): Promise<string> => {
  const [, , blob = ""] = await shipped()
  for (const part of ["bin", "lib"]) fs.mkdirSync(`${directory}/${part}`)
  fs.copyFileSync(LAUNCHER, `${directory}/bin/banger`)
  fs.chmodSync(`${directory}/bin/banger`, 0o755)
  // No link: the program looks for what stands beside it, and the kernel has followed links by then.
  fs.copyFileSync(NODE, `${directory}/bin/node`, fs.constants.COPYFILE_FICLONE)
  fs.symlinkSync(blob, `${directory}/lib/banger.blob`)
  await bundle(`${directory}/lib`, { tui: TUI })
  return `${directory}/bin/banger`
}
