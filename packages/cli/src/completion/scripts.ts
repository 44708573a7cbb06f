import { BASH } from "./scripts/bash.ts"
import { FISH } from "./scripts/fish.ts"
import { POWERSHELL } from "./scripts/powershell.ts"
import { ZSH } from "./scripts/zsh.ts"

/** What each shell runs. They know no command and no flag: each asks `banger __complete`. */
export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL } as const
