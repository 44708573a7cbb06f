import * as Effect from "effect/Effect"
import type { Progress } from "@banger/domain/progress.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { type LiveLine, openLine } from "./live-line.ts"
import { dim } from "./style.ts"
import { canRedraw } from "./terminal.ts"
import { sayNow } from "./text.ts"
import { transfers } from "./transfer.ts"
import { mib, took } from "./units.ts"
import { plain } from "./width.ts"

export const specLine = (vm: VmView): string =>
  `spec: ${vm.vcpu} vCPU, ${vm.memoryMib} MiB, disk ${mib(vm.diskMib)}, image ${vm.image}, kernel ${vm.kernel}`

/** What an operation does, on stderr: on a terminal one line that changes, and a line for each of its parts where those are asked for. */
export interface Live {
  readonly event: (event: Progress) => void
  /** A part begins; several may be under way at once, and the newest is shown. */
  readonly begun: (text: string) => void
  /** A part is done. */
  readonly phase: (text: string, ms: number) => void
  /** Shows work that is under way, until the next part begins or is done. */
  readonly doing: (text: () => string) => void
  /** A line that belongs to the parts. */
  readonly detail: (text: string) => void
  /** A line that is shown in any case. */
  readonly note: (text: string) => void
  /** All of it is done: the one line that stays of it on a terminal. */
  readonly ready: (name: string) => void
  /** The result, with the time that it took where it stays on a terminal in place of the line. */
  readonly timed: (message: string, stream: NodeJS.WriteStream) => string
  /** Leaves the terminal to others. */
  readonly end: () => void
}

/** Scripts and logs get the parts; on a terminal they come when they are asked for. */
export const wantsParts = (verbose: boolean): boolean => verbose || !canRedraw(process.stderr)

/** The steps of a clock that everybody reads: a second has ten. Milliseconds. */
const TENTH = 100

/** `head` says what is done as a whole: `creating sandbox`. */
export const live = (head: string, parts: boolean) =>
  Effect.acquireRelease(
    Effect.sync((): Live => {
      const began = performance.now()
      const line: LiveLine = openLine()
      let whole = head
      const underWay = new Set<string>()
      const now = (under: () => string) => line.show(() => {
        const elapsed = Math.floor((performance.now() - began) / TENTH) * TENTH
        const what = under()
        return `${whole}, ${(elapsed / 1000).toFixed(1)} s${what === "" ? "" : `: ${what}`}`
      })
      now(() => "")
      const detail = (text: string) => parts && sayNow(text)
      const note = (text: string) => sayNow(canRedraw(process.stderr) ? plain(text) : text)
      const begun = (text: string) => {
        underWay.add(text)
        now(() => text)
      }
      const phase = (text: string, ms: number) => {
        underWay.delete(text)
        detail(`  ${text.padEnd(28)} ${dim(took(ms), process.stderr)}`)
        const newest = [...underWay].at(-1)
        now(() => newest ?? `${text} done`)
      }
      const timed = (message: string, stream: NodeJS.WriteStream) => canRedraw(stream) ? `${message}, ${took(performance.now() - began)}` : message
      return {
        begun, detail, doing: now, note, phase, timed,
        event: (progress) => {
          if (progress._tag === "Planned") {
            whole = `creating ${progress.vm.name}`
            detail(specLine(progress.vm))
          }
          if (progress._tag === "Begun") begun(progress.step)
          if (progress._tag === "Step") phase(progress.step, progress.ms)
          if (progress._tag === "Note") note(`  ${progress.message}`)
        },
        ready: (name) => {
          line.end()
          if (canRedraw(process.stderr)) sayNow(`${name} is ready in ${took(performance.now() - began)}`)
        },
        end: line.end
      }
    }),
    ({ end }) => Effect.sync(end)
  )

/** Work that tells how many bytes it has done of how many, with a line that shows it on a terminal. */
export const moving = <A, E, R>(head: string, work: (told: (done: number, total: number) => void) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(openLine),
    (line) => {
      const text = transfers()
      line.show(() => head)
      return work((done, total) => {
        const amount = text(done, total)
        line.show(() => `${head}: ${amount()}`)
      })
    },
    (line) => Effect.sync(line.end)
  )
