import { Resolver } from "node:dns/promises"
import { isIPv6 } from "node:net"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentRefused, type OpenPort, openPorts } from "@banger/capabilities/vsock/agent-client.ts"
import { about } from "@banger/domain/about.ts"
import { printable } from "@banger/domain/printable.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { array } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson, say } from "../../output/text.ts"
import { running, tooOld, vmName } from "./vm-ref.ts"
import { webScheme } from "./web-probe.ts"

const PORTS = array("port", Schema.Struct({
  protocol: Schema.Literal("tcp", "udp"),
  address: Schema.String.pipe(about("of the guest's that it listens on; 0.0.0.0 and :: are all of them")),
  port: Schema.Int,
  pid: Schema.Int.pipe(about("in the guest; 0: no process has it")),
  command: Schema.String.pipe(about("the process's command line, shortened")),
  url: Schema.NullOr(Schema.String.pipe(about("where a browser of this host finds it; null: it speaks no HTTP, or listens for the guest itself alone")))
}))

/** Servers asked at a time. */
const AT_ONCE = 128

/** Whether the host reaches it: the rest listens for the guest alone. */
const reached = ({ address, protocol }: OpenPort, vm: VmView) => protocol === "tcp" && ["0.0.0.0", "::", `::ffff:${vm.address}`, vm.address].includes(address)

/** How long the host's resolver may take, milliseconds: as long as a probe. */
const PATIENCE_MS = 1_500

/** NAME.vm where the host's resolver leads there, else the address. */
const hostOf = ({ address, name }: VmView) =>
  Effect.tryPromise(() => new Resolver({ timeout: PATIENCE_MS, tries: 1 }).resolve4(`${name}.vm`)).pipe(
    Effect.map((found) => found.includes(address) ? `${name}.vm` : address),
    Effect.orElseSucceed(() => address)
  )

export default command({
  path: "vm ports",
  about: `Lists what listens in a VM: the port, the process, and where it speaks HTTP its address for a browser of this host: http://NAME.vm:PORT/ once the host's resolver knows such names (banger doctor).
The kernel's own tables are read, so the guest needs no program for it. NAT is for the way out alone: this host reaches a guest either way.`,
  args: vmName(["running"]),
  flags: Options.all({ json }),
  json: PORTS,
  examples: ["banger vm ports sandbox", "banger vm ports sandbox --json | jq -r '.[].url | values'"],
  run: ({ args, flags }) =>
    Effect.gen(function*() {
      const vm = yield* running(args)
      const { ports, total } = yield* Effect.mapError(openPorts(vm.vsock), (error) =>
        error instanceof AgentRefused && error.status === 404 ? tooOld(vm, "tell") : error)
      // Of one port on several addresses one answer is enough.
      const probes = Effect.forEach(new Set(ports.filter((port) => reached(port, vm)).map(({ port }) => port)), (port) =>
        Effect.map(webScheme(vm.address, port), (scheme) => [port, scheme] as const), { concurrency: AT_ONCE })
      const [host, schemes] = yield* Effect.all([hostOf(vm), Effect.map(probes, (found) => new Map(found))], { concurrency: 2 })
      const url = (port: number) => {
        const scheme = schemes.get(port)
        return scheme === undefined ? null : `${scheme}://${host}:${port}/`
      }
      const found = ports.map((port) => ({ ...port, url: reached(port, vm) ? url(port.port) : null }))
      if (total > found.length) yield* say(`${vm.name} has ${total} of them; these are the first ${found.length}`)
      if (flags.json) yield* printJson(PORTS, found)
      else {
        const at = (address: string) => isIPv6(address) ? `[${address}]` : printable(address)
        yield* page(table({
          heading: ["PORT", "ADDRESS", "PID", "URL", "COMMAND"],
          rows: found.map(({ address, command, pid, port, protocol, url }) => [`${port}/${protocol}`, at(address), pid === 0 ? "-" : String(pid), url ?? "-", printable(command)]),
          cut: ["COMMAND", "PID", "ADDRESS"]
        }))
      }
      return 0
    })
})
