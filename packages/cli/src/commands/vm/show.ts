import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import type { VmDetail } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print, printJson, record } from "../../output/text.ts"
import { mib } from "../../output/units.ts"
import { paintState, uptime, VM_DETAIL } from "../../output/vm.ts"
import { vmName } from "./vm-ref.ts"

const text = (detail: VmDetail): string => {
  const { vm } = detail
  return record([
    ["name", vm.name],
    ["id", vm.id],
    ["state", paintState(vm)],
    ["uptime", uptime(vm)],
    ["created", new Date(vm.createdAt).toISOString()],
    ["image", `${vm.image} (sha256 ${detail.imageDigest})`],
    ["kernel", `${vm.kernel} (${detail.kernelRelease})`],
    ["vcpu", String(vm.vcpu)],
    ["memory", mib(vm.memoryMib)],
    ["disk", mib(vm.diskMib)],
    ["address", vm.address],
    ["dns", vm.dns],
    ["nat", vm.nat ? "on" : "off"],
    ["mac", detail.mac],
    ["tap", detail.tap],
    ["pid", detail.pid === null ? "-" : String(detail.pid)],
    ["throw-away", vm.ephemeral ? "yes" : "no"],
    ["autostart", vm.autostart ? "yes" : "no"],
    ["vsock", vm.vsock],
    ["console log", detail.consoleLog],
    ["firecracker log", detail.firecrackerLog],
    ...detail.disks.map(({ allocatedBytes, apparentBytes, file }, index): readonly [string, string] =>
      [index === 0 ? "disks" : "", `${file}: ${size(allocatedBytes)} of ${size(apparentBytes)}`])
  ])
}

export default command({
  path: "vm show",
  about: "Shows everything about a VM.",
  args: vmName(),
  flags: Options.all({ json }),
  json: VM_DETAIL,
  examples: ["banger vm show sandbox", "banger vm show sandbox --json"],
  run: ({ args: vm, flags }) =>
    Effect.gen(function*() {
      const detail = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.Show({ vm })))
      yield* flags.json ? printJson(VM_DETAIL, detail) : print(text(detail))
      return 0
    })
})
