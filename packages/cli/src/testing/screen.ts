import { execFileSync, spawnSync } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"

/** How long a screen may take to show what is waited for, milliseconds: a machine that does much else is slow. */
const PATIENCE = 30_000

export const hasTmux = spawnSync("tmux", ["-V"]).status === 0

/** A terminal that keeps what it shows. */
export interface Screen {
  /** Keys by tmux's names, or text. */
  readonly press: (...keys: ReadonlyArray<string>) => void
  /** As a terminal pastes where a program has asked to be told. */
  readonly paste: (text: string) => void
  readonly resize: (columns: number, rows: number) => void
  /** The lines that it shows, without blanks at their ends, once they match. */
  readonly until: (wanted: RegExp) => Promise<string>
  /** Whether a program has the alternate screen, and whether the cursor is to be seen. */
  readonly state: () => { readonly alternate: boolean; readonly cursor: boolean }
  readonly close: () => void
}

/** A shell on a terminal of its own. */
export const openScreen = (name: string, env: Readonly<Record<string, string>>, columns: number, rows: number): Screen => {
  const tmux = (...args: ReadonlyArray<string>) => execFileSync("tmux", ["-L", name, "-f", "/dev/null", ...args], { env: { ...process.env, TMUX: "", ...env }, encoding: "utf8" })
  tmux("new-session", "-d", "-s", "s", "-x", String(columns), "-y", String(rows), "env PS1='$ ' sh")
  const shown = () => tmux("capture-pane", "-p", "-t", "s").split("\n").map((line) => line.trimEnd()).join("\n")
  return {
    press: (...keys) => void tmux("send-keys", "-t", "s", ...keys),
    paste: (text) => {
      tmux("set-buffer", text)
      tmux("paste-buffer", "-p", "-t", "s")
    },
    resize: (width, height) => void tmux("resize-window", "-t", "s", "-x", String(width), "-y", String(height)),
    until: async (wanted) => {
      const end = performance.now() + PATIENCE
      for (let text = shown(); ; text = shown()) {
        if (wanted.test(text)) return text
        if (performance.now() > end) throw new Error(`waited for ${wanted} and saw\n${text}`)
        await sleep(50)
      }
    },
    state: () => {
      const [alternate, cursor] = tmux("display-message", "-p", "-t", "s", "#{alternate_on} #{cursor_flag}").trim().split(" ")
      return { alternate: alternate === "1", cursor: cursor === "1" }
    },
    close: () => void spawnSync("tmux", ["-L", name, "kill-server"])
  }
}
