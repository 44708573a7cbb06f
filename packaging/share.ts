/** What shells and man read, made of the declarations: build/share. `system install` puts it where they look. */
import * as fs from "node:fs"
import * as path from "node:path"
import { manual } from "../packages/cli/src/command-line/manual.ts"
import { SCRIPTS } from "../packages/cli/src/completion/scripts.ts"

export const share = (out: string, version: string): void => {
  const files: ReadonlyArray<readonly [string, string]> = [
    ["completion/banger.bash", SCRIPTS.bash],
    ["completion/_banger", SCRIPTS.zsh],
    ["completion/banger.fish", SCRIPTS.fish],
    ...[...manual(version)].map(([name, text]) => [`man/man1/${name}`, text] as const)
  ]
  for (const [name, text] of files) {
    fs.mkdirSync(path.dirname(path.join(out, name)), { recursive: true })
    fs.writeFileSync(path.join(out, name), text)
  }
}
