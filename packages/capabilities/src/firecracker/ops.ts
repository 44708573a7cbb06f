import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { KillSignal } from "@banger/domain/api.ts"
import { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import { ProcessId } from "@banger/domain/vm.ts"
import { OpFailed } from "../op-failed.ts"
import { changesVm, changesVmLong, looks, OpKind } from "../op-kind.ts"

export const FirecrackerFacts = Schema.Struct({
  arch: Schema.String,
  kvm: Schema.Boolean,
  firecracker: Schema.NullOr(Schema.String),
  jailer: Schema.NullOr(Schema.String),
  /** Of both: what others than root could change. */
  changeable: Schema.NullOr(Schema.String),
  systemd: Schema.NullOr(Schema.String)
})

const vm = { vm: VmId }

/** All but Kill are safe to repeat. */
export class FirecrackerOps extends RpcGroup.make(
  /** The VM's Firecracker, when its unit runs it: pid and start time. */
  Rpc.make("Find", { payload: vm, success: Schema.NullOr(ProcessId), error: OpFailed }).annotate(OpKind, looks),
  /** Furnishes the jail and starts the unit. Fails when the VM's disks are not in place. */
  Rpc.make("Start", {
    payload: { ...vm, slot: Slot, vmlinux: Digest, initrd: Digest, modules: Digest },
    success: ProcessId,
    error: OpFailed
  }).annotate(OpKind, changesVm),
  Rpc.make("Kill", { payload: { ...vm, signal: KillSignal }, error: OpFailed }).annotate(OpKind, changesVm),
  /** Kills what still runs, returns when the unit's cgroup is empty and the jail gone. */
  Rpc.make("Remove", { payload: vm, error: OpFailed }).annotate(OpKind, changesVmLong),
  /** The serial console's log: estate. */
  Rpc.make("EnsureLog", { payload: vm, error: OpFailed }).annotate(OpKind, changesVm),
  Rpc.make("RemoveLog", { payload: vm, error: OpFailed }).annotate(OpKind, changesVm),
  Rpc.make("Facts", { success: FirecrackerFacts }).annotate(OpKind, looks)
).prefix("firecracker.") {}
