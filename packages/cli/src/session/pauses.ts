import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { VmRef } from "@banger/domain/ids.ts"
import { pauses } from "@banger/domain/pauses.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { Daemon, withDaemon } from "../daemon/daemon.ts"
import { say } from "../output/text.ts"

/** Most commands have ended by then, and need no connection of their own. */
const SETTLED = "1 second"
/** How far back events are asked for, so that none falls before the connection. Milliseconds. */
const BACK = 2_000

/** Says when the VM of a session is paused, and when it goes on. Without a daemon nothing is said: the session needs none. */
export const tellPauses = (vm: VmView, raw: boolean): Effect.Effect<void> =>
  Effect.flatMap(Daemon, (daemon) =>
    Stream.runForEach(
      pauses(vm.name)(daemon.vm.Events({ vm: VmRef.make(vm.id), follow: true, withinMs: BACK })),
      // A terminal in raw mode does not begin a line with each newline.
      (notice) => say(raw ? `\r\n${notice}\r` : notice)
    )).pipe(withDaemon, Effect.delay(SETTLED), Effect.ignore)
