import { spawnSync } from "node:child_process"
import { start } from "./command-line.ts"

/** Shells that complete. Each drives its own completion over lines on its input, and prints `== LINE` and then what it offers. */
const DRIVERS = {
  /** readline cannot be asked without a terminal, so its part is played here: the words as it splits them, and compopt. */
  bash: {
    argv: ["bash", "--norc", "-c"],
    script: String.raw`
compopt() { echo "files $*"; }
source "$SCRIPT"
while IFS= read -r line; do
  echo "== $line"
  COMP_LINE=$line COMP_POINT=${"${#line}"}
  mapfile -t COMP_WORDS < <(printf %s "$line" | grep -oE "\"[^\"]*\"?|'[^']*'?|[=:]+|[^[:space:]=:\"']+")
  [[ $line != *" " ]] || COMP_WORDS+=("")
  COMP_CWORD=$((${"${#COMP_WORDS[@]}"} - 1)) COMPREPLY=()
  _banger banger
  printf '%s\n' "${"${COMPREPLY[@]}"}"
done`
  },
  /** A zsh on a terminal of its own, in which the line and a tab are typed; what its compadd adds is noted. */
  zsh: {
    argv: ["zsh", "-f", "-c"],
    script: String.raw`
zmodload zsh/zpty
export OUT=$HOME/zsh.out
zpty z zsh -f -i
say() { zpty -w z "$1"; }
say 'PS1= PS2=; unsetopt beep; autoload -Uz compinit; compinit -u -D; source $SCRIPT'
say '_files() { print -rl -- "files $*" >>$OUT; }'
say 'compadd() { local -a found; builtin compadd -O found "$@"; print -rl -- $found >>$OUT; builtin compadd "$@"; }'
say "listed() { print END >>\$OUT; zle kill-buffer; }; zle -N listed; bindkey '^I' complete-word; bindkey '^G' listed"
say 'print RE''ADY'
zpty -r z seen '*READY*'
while IFS= read -r line; do
  : >$OUT
  zpty -w -n z "$line"$'\t\a'
  until [[ $(<$OUT) == *END ]]; do sleep 0.05; zpty -rt z seen; done
  print -r -- "== $line"; cat $OUT
done
zpty -d z`
  },
  fish: {
    argv: ["fish", "--no-config", "-c"],
    script: String.raw`
source $SCRIPT
while read -l line
  echo "== $line"
  complete -C "$line"
end`
  }
} as const

export type Shell = keyof typeof DRIVERS
export const SHELLS: ReadonlyArray<Shell> = ["bash", "zsh", "fish"]

export const isHere = (shell: Shell): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0

/** What a shell offers for each line, without what it says about it. The daemon that is asked may live in this very process. */
export const offered = async (shell: Shell, script: string, lines: ReadonlyArray<string>, options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): Promise<ReadonlyMap<string, ReadonlyArray<string>>> => {
  const { argv: [program, ...args], script: driver } = DRIVERS[shell]
  const { stderr, stdout } = await start(["env", "-C", options.cwd, program, ...args, driver], { TERM: "dumb", ...options.env, SCRIPT: script }, lines.map((line) => `${line}\n`).join("")).ended
  const found = new Map<string, Array<string>>()
  let current: Array<string> = []
  for (const line of `${stdout}${stderr}`.split("\n")) {
    if (line.startsWith("== ")) found.set(line.slice(3), current = [])
    else if (line !== "" && line !== "END") current.push(line.split("\t")[0] ?? "")
  }
  return new Map([...found].map(([line, words]) => [line, [...new Set(words)].toSorted()]))
}
