import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { VmId } from "@banger/domain/ids.ts"
import type { CannotRemove } from "../lease.ts"
import type { GuestDocument } from "./document.ts"

/** The guest program gave up before its agent ran. */
export class GuestFailed extends Schema.TaggedError<GuestFailed>()("GuestFailed", {
  step: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `the guest could not start: ${this.step}: ${this.problem}`
  }
  get hint() {
    return "banger vm logs NAME shows the guest's console"
  }
}

export class KeysFailed extends Schema.TaggedError<KeysFailed>()("KeysFailed", { problem: Schema.String, fix: Schema.optionalWith(Schema.String, { exact: true }) }) {
  override get message() {
    return `ssh keys: ${this.problem}`
  }
  get hint() {
    return this.fix ?? "banger doctor says what is missing"
  }
}

/** The configuration is being served to the guest; `ready` completes when its agent listens. */
export class GuestConfig extends Context.Tag("@banger/capabilities/guest-config/GuestConfig")<GuestConfig, {
  readonly ready: Effect.Effect<void, GuestFailed>
}>() {}

/** Host service: answers one VM's guest program on a unix socket, for as long as the scope lives. */
export class GuestListener extends Context.Tag("@banger/capabilities/guest-config/GuestListener")<GuestListener, {
  readonly serve: (
    socket: string,
    document: Effect.Effect<GuestDocument>
  ) => Effect.Effect<Effect.Effect<void, GuestFailed>, GuestFailed, Scope.Scope>
}>() {}

/** Host service: a VM's ssh host key, made by us so that known_hosts can pin it, and the owner's public key. */
export class GuestKeys extends Context.Tag("@banger/capabilities/guest-config/GuestKeys")<GuestKeys, {
  /** Safe to repeat: an existing key stays. */
  readonly ensure: (vm: VmId) => Effect.Effect<void, KeysFailed>
  readonly read: (vm: VmId) => Effect.Effect<{ readonly privateKey: string; readonly publicKey: string; readonly authorized: string }, KeysFailed>
  readonly remove: (vm: VmId) => Effect.Effect<void, CannotRemove>
  /** The owner's private key, with its .pub beside it: by now, since the configuration names it. */
  readonly owners: Effect.Effect<string, KeysFailed>
}>() {}

/** Host service: what a guest has in common with the host's owner. */
export class GuestOwner extends Context.Tag("@banger/capabilities/guest-config/GuestOwner")<GuestOwner, {
  readonly read: Effect.Effect<{
    /** Of the tz database, such as Europe/Vienna. */
    readonly timezone: string
    /** What git calls the owner, by key: user.name, user.email. */
    readonly git: ReadonlyMap<string, string>
  }>
}>() {}
