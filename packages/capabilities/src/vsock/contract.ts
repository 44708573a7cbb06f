import * as Context from "effect/Context"

/** The VM's socket directory: Firecracker's API, and the host's end of the guest's vsock. */
export class Vsock extends Context.Tag("@banger/capabilities/vsock/Vsock")<Vsock, {
  readonly directory: string
  /** Host to guest: connect, write `CONNECT <port>`. */
  readonly socket: string
}>() {}

/** The agent's port in the guest. */
export const AGENT_PORT = 1024

/** Where guests reach the daemon: a guest that connects to CID 2 on this port arrives at `<socket>_1025`. */
export const HOST_PORT = 1025
