import * as Layer from "effect/Layer"
import { Firecracker } from "../firecracker/contract.ts"
import { contract } from "../testing/contract-suite.ts"
import { clock } from "./live.ts"

contract(clock, { stands: false, needs: () => Layer.succeed(Firecracker, { process: { pid: 42, startTime: "1" } }) })
