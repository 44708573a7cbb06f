import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { dmSnapshot } from "./live.ts"

contract(dmSnapshot, { stands: true, needs: () => Layer.empty })
