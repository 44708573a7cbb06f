import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { workDisk } from "./live.ts"

contract(workDisk, { stands: false, needs: () => Layer.empty })
