import * as Effect from "effect/Effect"
import type { Progress } from "@banger/domain/progress.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { dim } from "./style.ts"
import { mib, took } from "./units.ts"

export const specLine = (vm: VmView): string =>
  `spec: ${vm.vcpu} vCPU, ${vm.memoryMib} MiB, disk ${mib(vm.diskMib)}, image ${vm.image}, kernel ${vm.kernel}`

/** How often the live line of a terminal moves on, in milliseconds. */
const TICK = 100

/** What an operation does, on stderr: a line for each phase, and on a terminal how long the present one already takes. */
export interface Live {
  readonly event: (event: Progress) => void
  /** A phase of our own, such as sending files. */
  readonly phase: (text: string, ms: number) => void
  /** Leaves the terminal to others. */
  readonly end: () => void
}

export const live = Effect.acquireRelease(
  Effect.sync((): Live => {
    const terminal = process.stderr.isTTY === true
    let since = performance.now()
    const clear = () => terminal && process.stderr.write("\r\x1b[K")
    const line = (text: string) => {
      clear()
      process.stderr.write(`${text}\n`)
      since = performance.now()
    }
    let tick = terminal ? setInterval(() => {
      process.stderr.write(`\r\x1b[K${dim(`… ${took(Math.floor((performance.now() - since) / TICK) * TICK)}`, process.stderr)}`)
    }, TICK) : undefined
    const phase = (text: string, ms: number) => line(`  ${text.padEnd(28)} ${dim(took(ms), process.stderr)}`)
    const event = (progress: Progress) => {
      if (progress._tag === "Planned") line(specLine(progress.vm))
      if (progress._tag === "Step") phase(progress.step, progress.ms)
      if (progress._tag === "Note") line(`  ${progress.message}`)
    }
    const end = () => {
      if (tick === undefined) return
      clearInterval(tick)
      clear()
      tick = undefined
    }
    return { event, phase, end }
  }),
  ({ end }) => Effect.sync(end)
)
