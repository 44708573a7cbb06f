import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { dns } from "./live.ts"

contract(dns, { stands: false, needs: () => Layer.empty })
