import { OpFailed } from "@banger/capabilities/op-failed.ts"
import { StepFailed } from "@banger/domain/errors.ts"

/** What a refusal of the host means for an operation of ours; other errors stay what they are. */
export const asStep = (operation: string) => <E>(error: E | OpFailed): Exclude<E, OpFailed> | StepFailed =>
  error instanceof OpFailed
    ? new StepFailed({ operation, problem: error.problem, fix: error.fix })
    : error as Exclude<E, OpFailed>
