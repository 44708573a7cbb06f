import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { vsock } from "./live.ts"

contract(vsock, { stands: true, needs: () => Layer.empty })
