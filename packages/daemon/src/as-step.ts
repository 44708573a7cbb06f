import { OpFailed } from "@banger/capabilities/op-failed.ts"
import { type StepFailed, stepFailed } from "@banger/domain/errors.ts"

/** What a refusal of the host means for an operation of ours; other errors stay what they are. */
export const asStep = (operation: string) => <E>(error: E | OpFailed): Exclude<E, OpFailed> | StepFailed =>
  error instanceof OpFailed
    ? stepFailed(operation)(error)
    : error as Exclude<E, OpFailed>
