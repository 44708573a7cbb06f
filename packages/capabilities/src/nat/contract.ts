import * as Context from "effect/Context"

/** Whether the VM reaches the world through the host's addresses. */
export class Nat extends Context.Tag("@banger/capabilities/nat/Nat")<Nat, { readonly enabled: boolean }>() {}
