import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { Vsock } from "../vsock/contract.ts"
import { guestConfig } from "./live.ts"

contract(guestConfig, { stands: false, needs: () => Layer.succeed(Vsock, { directory: "/run/vm", socket: "/run/vm/v.sock" }) })
