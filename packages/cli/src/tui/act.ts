/** Does what the keys have asked for. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { VmName, VmRef } from "@banger/domain/ids.ts"
import type { Progress } from "@banger/domain/progress.ts"
import { STOP_TIMEOUT, type VmView } from "@banger/domain/vm.ts"
import { decoder } from "../command-line/values.ts"
import { Daemon, reach } from "../daemon/daemon.ts"
import { LocalFailure } from "../failure/errors.ts"
import { failureOf } from "../failure/failure.ts"
import { createHere } from "../run/create-vm.ts"
import { unpulled } from "../way-back/unpulled.ts"
import type { State, Wish } from "./model.ts"
import type { Store } from "./store.ts"

/** A wish that is done while the screen stays. */
type Task = Exclude<Wish, { readonly _tag: "Quit" | "Ssh" | "Exec" }>

const nameOf = decoder(VmName)

const say = (store: Store, message: State["message"]) => Effect.sync(() => store.set((state) => ({ ...state, message })))

/** Watches an operation to its end, in the line of its VM and then in the message. `vm` is not known yet of one that is to be made. */
const operation = <E, R>(store: Store, vm: VmView | undefined, doing: string, events: Stream.Stream<Progress, E, R>) =>
  Effect.suspend(() => {
    const { selected } = store.get()
    const notes: Array<string> = []
    let id = vm?.id
    const now = (what: string | undefined) => store.set((state) => {
      const others = [...state.doing].filter(([other]) => other !== id)
      return { ...state, doing: new Map(what === undefined || id === undefined ? others : [...others, [id, what]]) }
    })
    now(doing)
    return Stream.runForEach(events, (event) => Effect.sync(() => {
      if (event._tag === "Planned") {
        id = event.vm.id
        now(doing)
        // Who has marked another VM meanwhile acts on that one.
        store.set((state) => state.selected === selected ? { ...state, selected: event.vm.id } : state)
      }
      if (event._tag === "Begun") now(`${doing}: ${event.step}`)
      if (event._tag === "Note") notes.push(event.message)
      if (event._tag === "Finished") store.set((state) => ({ ...state, message: [event.message, ...notes].join("; ") }))
    })).pipe(Effect.ensuring(Effect.sync(() => now(undefined))))
  })

/** What a VM of the list is called in a request: its id, since another may have its name by now. */
const ref = ({ id }: VmView) => ({ vm: VmRef.make(id) })

const run = (store: Store, task: Task) =>
  Effect.gen(function*() {
    const daemon = yield* Daemon
    switch (task._tag) {
      case "Start":
        return yield* operation(store, task.vm, "starting", daemon.vm.Start(ref(task.vm)))
      case "Stop":
        return yield* operation(store, task.vm, "stopping", daemon.vm.Stop({ ...ref(task.vm), timeoutMs: STOP_TIMEOUT }))
      case "Restart":
        return yield* operation(store, task.vm, "restarting", daemon.vm.Restart({ ...ref(task.vm), timeoutMs: STOP_TIMEOUT }))
      case "AskDelete": {
        const runs = task.vm.state === "running"
        if (runs) yield* say(store, `asking ${task.vm.name} for commits that nobody pulled`)
        const lost = runs ? yield* unpulled(task.vm) : []
        return store.set((state) => state.prompt === undefined ? { ...state, message: undefined, prompt: { _tag: "Delete", vm: task.vm, lost } } : state)
      }
      case "Delete":
        return yield* operation(store, task.vm, "deleting", daemon.vm.Delete({ ...ref(task.vm), force: true }))
      case "AskImage": {
        const images = (yield* daemon.image.List()).map(({ files }) => files.name).toSorted()
        if (images.length === 0) return yield* new LocalFailure({ problem: "there is no image yet", fix: "banger image pull makes one; banger catalog shows which" })
        return store.set((state) => state.prompt === undefined ? { ...state, prompt: { _tag: "Image", images, at: 0 } } : state)
      }
      case "Create": {
        const { image, name } = task
        const named = name === "" ? {} : { name: yield* Effect.mapError(nameOf(name), (problem) => new LocalFailure({ problem, fix: "" })) }
        return yield* operation(store, undefined, "creating", createHere({ image, ...named }))
      }
    }
  })

/** A failure is the message that is shown; nothing of it reaches the caller. */
export const act = (store: Store, task: Task): Effect.Effect<void, never, Daemon> =>
  Effect.catchAllCause(reach(run(store, task)), (cause) => Cause.isInterruptedOnly(cause) ? Effect.void : say(store, failureOf(Cause.squash(cause))))
