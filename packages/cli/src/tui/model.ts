/** What the screen shows, and how the keys change it. Nothing here reaches a VM or a terminal. */
import type { ImageName, VmId } from "@banger/domain/ids.ts"
import type { VmDetail, VmView } from "@banger/domain/vm.ts"
import type { Failure } from "../failure/failure.ts"

/** What a VM that runs takes of the host. */
export interface Figures {
  /** Of one processor. */
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
  readonly diskBytes: number
  /** Open TCP ports of the guest, ascending; undefined: its agent has not said. */
  readonly ports: ReadonlyArray<number> | undefined
}

/** The parts of a VM's page, in the order in which Tab leads through them. */
export const PARTS = ["facts", "console", "events"] as const
type Part = typeof PARTS[number]

/** The page of one VM. */
export interface Page {
  readonly id: VmId
  readonly part: Part
  /** undefined until the daemon has told. */
  readonly detail: VmDetail | undefined
  readonly console: ReadonlyArray<string>
  /** The line of the console that has no end yet. */
  readonly rest: string
  readonly events: ReadonlyArray<string>
  /** Lines between the end of a log and the last one that is shown; 0 follows what comes. */
  readonly back: number
}

/** What is asked for in the line above the keys. */
export type Prompt =
  | { readonly _tag: "Filter"; readonly text: string }
  | { readonly _tag: "Command"; readonly vm: VmView; readonly text: string }
  | { readonly _tag: "Delete"; readonly vm: VmView; readonly lost: ReadonlyArray<string> }
  | { readonly _tag: "Image"; readonly images: ReadonlyArray<ImageName>; readonly at: number }
  | { readonly _tag: "Name"; readonly image: ImageName; readonly text: string }

export interface State {
  /** By name. Undefined until the daemon has told. */
  readonly vms: ReadonlyArray<VmView> | undefined
  /** Milliseconds of the monotonic clock at which they were told of. */
  readonly toldAt: number
  readonly figures: ReadonlyMap<VmId, Figures>
  /** What is being done to VMs. */
  readonly doing: ReadonlyMap<VmId, string>
  readonly selected: VmId | undefined
  readonly filter: string
  readonly page: Page | undefined
  readonly help: boolean
  readonly prompt: Prompt | undefined
  /** The last result, or the last failure. */
  readonly message: string | Failure | undefined
  /** Why the daemon cannot be reached, while it is tried again. */
  readonly lost: Failure | undefined
}

export const START: State = {
  vms: undefined, toldAt: 0, figures: new Map(), doing: new Map(), selected: undefined, filter: "", page: undefined, help: false, prompt: undefined, message: undefined, lost: undefined
}

/** What the keys ask to be done. */
export type Wish =
  | { readonly _tag: "Start" | "Stop" | "Restart" | "AskDelete" | "Delete"; readonly vm: VmView }
  | { readonly _tag: "Ssh"; readonly vm: VmView }
  | { readonly _tag: "Exec"; readonly vm: VmView; readonly command: string }
  | { readonly _tag: "AskImage" }
  | { readonly _tag: "Create"; readonly image: ImageName; readonly name: string }
  | { readonly _tag: "Quit" }

const matches = (filter: string) => (vm: VmView) =>
  [vm.name, vm.state, vm.image].some((text) => text.toLowerCase().includes(filter.toLowerCase()))

/** The VMs that the list shows. */
export const listed = ({ filter, vms = [] }: Pick<State, "filter" | "vms">): ReadonlyArray<VmView> => vms.filter(matches(filter))

/** The VM that keys act on: that of the page, else the one that is marked in the list. */
export const current = (state: State): VmView | undefined => {
  const id = state.page?.id ?? state.selected
  return (state.page === undefined ? listed(state) : state.vms ?? []).find((vm) => vm.id === id)
}

/** Marks the VM that is so many further down the list. */
export const moved = (state: State, by: number): State => {
  const vms = listed(state)
  const at = vms.findIndex(({ id }) => id === state.selected)
  const next = vms[Math.max(0, Math.min(vms.length - 1, at + by))]
  return { ...state, selected: next?.id }
}

/** Once the list has changed, the mark stays on its VM; if that is gone, on the one that has come to its place. */
const marked = (before: State, after: State): State => {
  const vms = listed(after)
  if (vms.some(({ id }) => id === after.selected)) return after
  const place = listed(before).findIndex(({ id }) => id === before.selected)
  return { ...after, selected: vms[Math.max(0, Math.min(place, vms.length - 1))]?.id }
}

/** The daemon has told of all VMs. The page of one that is gone is left. */
export const told = (state: State, vms: ReadonlyArray<VmView>, at: number): State => {
  const sorted = vms.toSorted((one, other) => one.name < other.name ? -1 : 1)
  const there = (id: VmId) => sorted.some((vm) => vm.id === id)
  return marked(state, {
    ...state, vms: sorted, toldAt: at, lost: undefined,
    figures: new Map([...state.figures].filter(([id]) => there(id))),
    page: state.page !== undefined && there(state.page.id) ? state.page : undefined
  })
}

/** The list with another filter. */
export const filtered = (state: State, filter: string): State => marked(state, { ...state, filter })

/** The lines of a log that the page shows. */
export const logOf = (page: Page): ReadonlyArray<string> =>
  page.part === "facts" ? [] : page.part === "console" && page.rest !== "" ? [...page.console, page.rest] : page[page.part]

/** Changes the page, if it is still that of this VM. */
export const onPage = (state: State, id: VmId, change: (page: Page) => Partial<Page>): State =>
  state.page?.id === id ? { ...state, page: { ...state.page, ...change(state.page) } } : state
