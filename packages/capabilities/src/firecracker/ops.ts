import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { KillSignal } from "@banger/domain/api.ts"
import { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import { MemoryMib, ProcessId } from "@banger/domain/vm.ts"
import { OpFailed } from "../op-failed.ts"
import { changesVm, changesVmLong, looks, OpKind } from "../op-kind.ts"

export const FirecrackerFacts = Schema.Struct({
  /** Where both lie. */
  directory: Schema.String,
  /** What each says of its version; null: it is missing or does not run. */
  firecracker: Schema.NullOr(Schema.String),
  /** The dynamic linker that it wants, which no jail has; null for one that is linked statically. */
  linker: Schema.NullOr(Schema.String),
  jailer: Schema.NullOr(Schema.String),
  /** Of both: what others than root could change. */
  changeable: Schema.NullOr(Schema.String),
  /** Of both: a place that units of banger's do not see. */
  hidden: Schema.NullOr(Schema.String),
  /** Of both: a file that is really called something else. */
  misnamed: Schema.NullOr(Schema.String)
})

export const MachineFacts = Schema.Struct({
  arch: Schema.String,
  systemd: Schema.NullOr(Schema.String),
  /** Whether cgroups are version 2 alone, as banger finds VMs by. */
  unified: Schema.Boolean,
  /** The mount that jails lie on, and what it forbids of what a jail needs. */
  jails: Schema.Struct({ at: Schema.String, forbids: Schema.Array(Schema.Literal("dev", "exec", "rw")) })
})

export const KvmFacts = Schema.Struct({
  /** What came of running a few instructions in a virtual machine. */
  state: Schema.Literal("missing", "denied", "broken", "works"),
  problem: Schema.String,
  /** The module of KVM for this processor; null when that has no virtualisation, or hides it. */
  module: Schema.NullOr(Schema.Literal("kvm_intel", "kvm_amd")),
  /** Whether this host is itself a virtual machine. */
  virtual: Schema.Boolean
})

const vm = { vm: VmId }

/** All but Kill are safe to repeat. */
export class FirecrackerOps extends RpcGroup.make(
  /** The VM's Firecracker, when its unit runs it: pid and start time. */
  Rpc.make("Find", { payload: vm, success: Schema.NullOr(ProcessId), error: OpFailed }).annotate(OpKind, looks),
  /** Furnishes the jail and starts the unit. Fails when the VM's disks are not in place. */
  Rpc.make("Start", {
    payload: { ...vm, slot: Slot, memoryMib: MemoryMib, vmlinux: Digest, initrd: Digest, modules: Digest },
    success: ProcessId,
    error: OpFailed
  }).annotate(OpKind, changesVm),
  Rpc.make("Kill", { payload: { ...vm, signal: KillSignal }, error: OpFailed }).annotate(OpKind, changesVm),
  /** Kills what still runs, returns when the unit's cgroup is empty, its limits and the jail gone. */
  Rpc.make("Remove", { payload: vm, error: OpFailed }).annotate(OpKind, changesVmLong),
  /** The serial console's log: estate. */
  Rpc.make("EnsureLog", { payload: vm, error: OpFailed }).annotate(OpKind, changesVm),
  Rpc.make("RemoveLog", { payload: vm, error: OpFailed }).annotate(OpKind, changesVm),
  Rpc.make("Facts", { success: FirecrackerFacts }).annotate(OpKind, looks),
  Rpc.make("MachineFacts", { success: MachineFacts }).annotate(OpKind, looks),
  Rpc.make("KvmFacts", { success: KvmFacts }).annotate(OpKind, looks)
).prefix("firecracker.") {}
