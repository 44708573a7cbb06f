import * as Layer from "effect/Layer"
import { contract } from "../testing/contract-suite.ts"
import { nat } from "./live.ts"

contract(nat, { stands: true, lost: "it is put back", needs: () => Layer.empty })
