import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { tapPool } from "./live.ts"

contract(tapPool, { stands: true, needs: () => Layer.empty })
