import { VmBusy, type VmError } from "@banger/domain/errors.ts"
import type { VmId } from "@banger/domain/ids.ts"
import type { Progress } from "@banger/domain/progress.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"

/** What can be done to a VM, as a busy VM says it: "being stopped". */
export type Doing = "created" | "started" | "stopped" | "restarted" | "deleted" | "recovered" | "cleaned up"

export type Emit = (event: Progress) => Effect.Effect<void>

interface Running {
  readonly doing: Doing
  readonly feed: PubSub.PubSub<Take.Take<Progress, VmError>>
}

/** Events that a late watcher is told again; an operation has a dozen. */
const REPLAY = 256

/**
 * Work on VMs that outlives the client that asked for it, at most one piece a VM. Asking for what is already being done
 * joins it; asking for something else is refused at once, so operations on one VM never queue and those on different
 * VMs never meet.
 */
export class Operations extends Context.Tag("@banger/daemon/Operations")<Operations, {
  /** Has begun, or joined, when this returns; the stream tells everything from the first event on. */
  readonly run: (
    vm: { readonly id: VmId; readonly name: string },
    doing: Doing,
    work: (emit: Emit) => Effect.Effect<void, VmError>
  ) => Effect.Effect<Stream.Stream<Progress, VmError>, VmBusy>
  /** The same without a watcher: waits until the VM is free, and returns once the work has begun. */
  readonly begin: (vm: { readonly id: VmId; readonly name: string }, doing: Doing, work: (emit: Emit) => Effect.Effect<void, VmError>) => Effect.Effect<void>
  readonly doing: (vm: VmId) => Doing | undefined
}>() {
  static readonly layer = Layer.scoped(Operations, Effect.gen(function*() {
    const fibers = yield* FiberMap.make<VmId>()
    const running = new Map<VmId, Running>()

    // Uninterruptible: a VM must not be left busy with work that was never begun.
    const start = (vm: { readonly id: VmId }, doing: Doing, work: (emit: Emit) => Effect.Effect<void, VmError>) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const feed = yield* PubSub.unbounded<Take.Take<Progress, VmError>>({ replay: REPLAY })
        const operation: Running = { doing, feed }
        running.set(vm.id, operation)
        yield* FiberMap.run(
          fibers,
          vm.id,
          work((event) => Effect.asVoid(PubSub.publish(feed, Take.of(event)))).pipe(
            Effect.onExit((exit) =>
              Effect.suspend(() => {
                // Before the end is told: whoever hears it may ask for the next operation at once.
                running.delete(vm.id)
                return PubSub.publish(feed, Exit.isSuccess(exit) ? Take.end : Take.failCause(exit.cause))
              })
            ),
            // Nobody may be watching.
            Effect.tapErrorCause((cause) => Effect.logWarning("failed", cause)),
            Effect.annotateLogs({ vm: vm.id, doing }),
            Effect.exit
          )
        )
        return operation
      }))

    const watch = ({ feed }: Running) => Stream.flattenTake(Stream.fromPubSub(feed))

    return {
      run: (vm, doing, work) =>
        Effect.gen(function*() {
          const current = running.get(vm.id)
          if (current !== undefined && current.doing !== doing) return yield* new VmBusy({ name: vm.name, doing: current.doing })
          return watch(current ?? (yield* start(vm, doing, work)))
        }),
      begin: (vm, doing, work) =>
        Effect.gen(function*() {
          for (let current = running.get(vm.id); current !== undefined; current = running.get(vm.id)) {
            yield* Effect.exit(Stream.runDrain(watch(current)))
          }
          yield* start(vm, doing, work)
        }),
      doing: (vm) => running.get(vm)?.doing
    }
  }))
}
