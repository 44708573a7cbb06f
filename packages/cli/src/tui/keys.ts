/** What each key does. */
import { current, filtered, listed, logOf, moved, type Page, PARTS, type Prompt, type State, type Wish } from "./model.ts"

/** A key: a character, or one that has a name. */
export interface Key {
  readonly text: string
  readonly name: "up" | "down" | "left" | "right" | "pageUp" | "pageDown" | "home" | "end" | "enter" | "escape" | "tab" | "backTab" | "backspace" | undefined
  readonly ctrl: boolean
}

type Pressed = readonly [state: State, wish?: Wish]

/** The longest text that is asked for: a command line. */
const LONGEST = 1_000

/** A line that is typed; undefined: this key does not change it. */
const typed = (text: string, { ctrl, name, text: more }: Key): string | undefined => {
  if (name === "backspace") return [...text].slice(0, -1).join("")
  if (ctrl && more === "u") return ""
  if (ctrl || name !== undefined) return undefined
  return (text + more.replaceAll(/\p{Cc}/gu, "")).slice(0, LONGEST)
}

const answer = (state: State, prompt: Prompt, key: Key): Pressed => {
  const left = { ...state, prompt: undefined }
  if (key.name === "escape") return [prompt._tag === "Filter" ? filtered(left, "") : left]
  switch (prompt._tag) {
    case "Filter": {
      if (key.name === "enter") return [left]
      if (key.name === "up" || key.name === "down") return [moved(state, key.name === "up" ? -1 : 1)]
      const text = typed(prompt.text, key) ?? prompt.text
      return [filtered({ ...state, prompt: { ...prompt, text } }, text)]
    }
    case "Command":
      if (key.name === "enter") return prompt.text.trim() === "" ? [left] : [left, { _tag: "Exec", vm: prompt.vm, command: prompt.text }]
      return [{ ...state, prompt: { ...prompt, text: typed(prompt.text, key) ?? prompt.text } }]
    case "Delete":
      return key.text.toLowerCase() === "y" && !key.ctrl ? [left, { _tag: "Delete", vm: prompt.vm }] : [left]
    case "Image": {
      const image = prompt.images[prompt.at]
      if (key.name === "enter" && image !== undefined) return [{ ...state, prompt: { _tag: "Name", image, text: "" } }]
      const by = key.name === "up" || key.text === "k" ? -1 : key.name === "down" || key.text === "j" ? 1 : 0
      return [{ ...state, prompt: { ...prompt, at: Math.max(0, Math.min(prompt.images.length - 1, prompt.at + by)) } }]
    }
    case "Name":
      if (key.name === "enter") return [left, { _tag: "Create", image: prompt.image, name: prompt.text.trim() }]
      return [{ ...state, prompt: { ...prompt, text: typed(prompt.text, key) ?? prompt.text } }]
  }
}

/** Keys of a VM, in the list and on its page. */
const onVm = (state: State, { ctrl, text }: Key): Pressed | undefined => {
  const vm = current(state)
  if (ctrl || vm === undefined) return undefined
  switch (text) {
    case "s":
      return [state, { _tag: "Start", vm }]
    case "x":
      return [state, { _tag: "Stop", vm }]
    case "r":
      return [state, { _tag: "Restart", vm }]
    case "c":
    case "e":
      if (vm.state !== "running") return [{ ...state, message: `${vm.name} is ${vm.state}, not running: s starts it` }]
      if (text === "c") return [state, { _tag: "Ssh", vm }]
      return [{ ...state, prompt: { _tag: "Command", vm, text: "" } }]
    case "d":
      return [state, { _tag: "AskDelete", vm }]
  }
}

/** Keys that move, and by how many lines of a window of so many. */
const steps = ({ name, text }: Key, rows: number): number | undefined => {
  if (name === "up" || text === "k") return -1
  if (name === "down" || text === "j") return 1
  if (name === "pageUp") return -rows
  if (name === "pageDown" || text === " ") return rows
  if (name === "home" || text === "g") return -Infinity
  if (name === "end" || text === "G") return Infinity
}

const onPage = (state: State, page: Page, key: Key, rows: number): Pressed => {
  const turned = (by: number) => PARTS[(PARTS.indexOf(page.part) + by + PARTS.length) % PARTS.length] ?? page.part
  if (key.name === "escape" || key.text === "q") return [{ ...state, page: undefined }]
  if (key.name === "tab" || key.name === "right") return [{ ...state, page: { ...page, part: turned(1), back: 0 } }]
  if (key.name === "left" || key.name === "backTab") return [{ ...state, page: { ...page, part: turned(-1), back: 0 } }]
  const by = steps(key, rows)
  if (by === undefined || page.part === "facts") return [state]
  const most = Math.max(0, logOf(page).length - rows)
  return [{ ...state, page: { ...page, back: Math.max(0, Math.min(most, page.back - by)) } }]
}

const onList = (state: State, key: Key, rows: number): Pressed => {
  const by = steps(key, rows)
  if (by !== undefined) return [moved(state, Math.max(-listed(state).length, Math.min(listed(state).length, by)))]
  if (key.text === "q") return [state, { _tag: "Quit" }]
  if (key.text === "/") return [{ ...state, prompt: { _tag: "Filter", text: state.filter } }]
  if (key.text === "n") return [state, { _tag: "AskImage" }]
  if (key.name === "escape") return [filtered(state, "")]
  const vm = current(state)
  if ((key.name === "enter" || key.name === "right") && vm !== undefined) {
    return [{ ...state, page: { id: vm.id, part: "facts", detail: undefined, console: [], rest: "", events: [], back: 0 } }]
  }
  return [state]
}

/** The state after a key, where `rows` lines of a list or a log are shown, and what is to be done. */
export const press = (before: State, key: Key, rows: number): Pressed => {
  if (key.ctrl && key.text === "c") return [before, { _tag: "Quit" }]
  if (before.prompt !== undefined) return answer(before, before.prompt, key)
  const state = { ...before, message: undefined }
  if (before.help) return [{ ...state, help: false }]
  if (key.text === "?") return [{ ...state, help: true }]
  return onVm(state, key) ?? (state.page === undefined ? onList(state, key, rows) : onPage(state, state.page, key, rows))
}

/** The state after a paste: it is text where one is asked for, and no key anywhere. */
export const paste = (state: State, text: string): State => {
  const { prompt } = state
  if (prompt === undefined || !("text" in prompt)) return state
  return answer(state, prompt, { text: text.replaceAll(/\s+/g, " "), name: undefined, ctrl: false })[0]
}

/** Of the help, in its order. */
export const HELP: ReadonlyArray<readonly [keys: string, does: string]> = [
  ["↑ ↓ k j", "mark a VM; PgUp, PgDn, g and G go further"],
  ["enter", "its page: facts, console, events; tab goes on, esc goes back"],
  ["s x r", "start, stop, restart"],
  ["c", "connect to it by ssh"],
  ["e", "run a command in it"],
  ["d", "delete it and its disks, once you have said yes"],
  ["n", "a new VM of an image"],
  ["/", "show only what has a text in name, state or image; esc shows all"],
  ["q ^C", "leave; VMs run on"]
]
