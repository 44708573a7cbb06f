import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import type { VmView } from "@banger/domain/vm.ts"
import type { Live } from "../output/progress.ts"
import { transfers } from "../output/transfer.ts"
import { send } from "../workspace/workspace.ts"
import { historyLines } from "./dry-run.ts"
import { isRepository, type Ready } from "./sent.ts"

/** Everything that is sent, into the VM, each part with a line of progress. */
export const sendAll = (vm: VmView, ready: ReadonlyArray<Ready>, progress: Live) =>
  Effect.forEach(ready, ({ archives, of }) =>
    Effect.gen(function*() {
      for (const message of isRepository(of) ? historyLines(of) : []) progress.note(`  ${message}`)
      const files = of.members.filter(({ kind }) => kind !== "directory").length
      const what = `${files} ${files === 1 ? "file" : "files"}${isRepository(of) ? "" : ` for ${of.target}`}`
      const [began, text] = [performance.now(), transfers()]
      let sent = 0
      progress.doing(() => `sending ${what}: ${text(sent, 0)()}`)
      yield* send(vm.vsock, archives, (bytes) => sent += bytes)
      progress.phase(`${what} sent, ${size(of.bytes)}`, performance.now() - began)
    }), { discard: true })
