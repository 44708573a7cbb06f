import * as Context from "effect/Context"

/** The VM's network device on the host: a TAP on the bridge, owned by the VM's uid. */
export class Tap extends Context.Tag("@banger/capabilities/tap-pool/Tap")<Tap, {
  readonly device: string
  readonly mac: string
  readonly address: string
}>() {}
