import * as Layer from "effect/Layer"
import { contract } from "@banger/capabilities/testing/contract-suite.ts"
import { Vsock } from "@banger/capabilities/vsock/contract.ts"
import { mailbox } from "./live.ts"
import * as Memory from "./memory.ts"

contract(mailbox, {
  stands: false,
  needs: () => Layer.succeed(Vsock, { directory: "/run/vm", socket: "/run/vm/v.sock" }),
  services: Memory.layer
})
