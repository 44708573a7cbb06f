import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { VmId } from "@banger/domain/ids.ts"
import type { FileFailed } from "../files.ts"
import type { ApiRequest } from "./machine.ts"
import type { ProcessId } from "@banger/domain/vm.ts"
import type { VmExit } from "./exit.ts"

/** Firecracker refused a request; `fault` is its own message. */
export class FirecrackerFault extends Schema.TaggedError<FirecrackerFault>()("FirecrackerFault", {
  request: Schema.String,
  fault: Schema.String
}) {
  override get message() {
    return `Firecracker refused ${this.request}: ${this.fault}`
  }
  get hint() {
    return "banger doctor checks Firecracker's version and the host's KVM"
  }
}

/** The VM ended before its guest was ready. */
export class VmmExited extends Schema.TaggedError<VmmExited>()("VmmExited", {
  name: Schema.String,
  reason: Schema.String,
  /** The last lines of the serial console. */
  console: Schema.String
}) {
  override get message() {
    return `the VM ended before its guest was ready (${this.reason})${this.console === "" ? "" : `: ${this.console}`}`
  }
  get hint() {
    return "banger doctor checks Firecracker and KVM; another kernel: banger kernel list"
  }
}

/** The guest's agent did not report in time. */
export class GuestSilent extends Schema.TaggedError<GuestSilent>()("GuestSilent", {
  name: Schema.String,
  seconds: Schema.Number
}) {
  override get message() {
    return `the guest did not answer within ${this.seconds} s`
  }
  get hint() {
    return `banger vm logs ${this.name} shows its console`
  }
}

/** The VM's Firecracker, up, its guest ready. */
export class Firecracker extends Context.Tag("@banger/capabilities/firecracker/Firecracker")<Firecracker, {
  readonly process: ProcessId
}>() {}

/** Of a VM that Firecracker holds: whether its processors run. */
export const MachineState = Schema.Literal("Not started", "Running", "Paused")
export type MachineState = typeof MachineState.Type

/** A connection to the API of one Firecracker. */
export interface Connection {
  readonly put: (request: ApiRequest) => Effect.Effect<void, FirecrackerFault>
  readonly patch: (request: ApiRequest) => Effect.Effect<void, FirecrackerFault>
  readonly version: string
  readonly state: Effect.Effect<MachineState, FirecrackerFault>
}

/** Host service: the owner's side of a Firecracker, in the VM's socket directory. */
export class FirecrackerApi extends Context.Tag("@banger/capabilities/firecracker/FirecrackerApi")<FirecrackerApi, {
  /** Firecracker opens its log itself, under the VM's uid; before 1.14 it does not create it. */
  readonly createLog: (log: string) => Effect.Effect<void, FileFailed>
  /** Saves the end of a run's log, which goes with the VM's sockets. Never fails: there may be none. */
  readonly keepLog: (log: string, kept: string) => Effect.Effect<void>
  /** Whether the guest ended by a triple fault. Never fails: no log, no word of one. */
  readonly tripleFault: (log: string) => Effect.Effect<boolean>
  /** Keeps the serial console's log from growing without end, for as long as the scope lives. Never fails: no VM is given up for its log. */
  readonly boundConsole: (log: string) => Effect.Effect<void, never, Scope.Scope>
  /** Waits for the socket. One request at a time. */
  readonly connect: (socket: string) => Effect.Effect<Connection, FirecrackerFault, Scope.Scope>
}>() {}

/** Host service: how VMs end, as systemd writes it down. */
export class VmExits extends Context.Tag("@banger/capabilities/firecracker/VmExits")<VmExits, {
  /** Completes when the VM's unit has ended; at once, when it ended before. */
  readonly await: (vm: VmId) => Effect.Effect<VmExit>
}>() {}
