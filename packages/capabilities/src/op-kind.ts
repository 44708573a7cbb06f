import * as Context from "effect/Context"

/** How the helper runs an operation: stated with it, since neither its lock nor its limit may hang on a name. */
export class OpKind extends Context.Tag("@banger/capabilities/OpKind")<OpKind, {
  /**
   * The field of the payload that says what is changed, `everything` of the capability, or `nothing`: such an operation
   * waits for no other and leaves no audit line.
   */
  readonly changes: "vm" | "slot" | "digest" | "staging" | "everything" | "nothing"
  /** Its length depends on bytes: nobody can say after what time it hangs. */
  readonly lasting: boolean
}>() {}

const kind = (changes: OpKind["Type"]["changes"], lasting = false): OpKind["Type"] => ({ changes, lasting })

export const looks = kind("nothing")
export const changesVm = kind("vm")
export const changesSlot = kind("slot")
export const changesEverything = kind("everything")
/** The same, for as long as it takes. */
export const looksLong = kind("nothing", true)
export const changesVmLong = kind("vm", true)
export const changesDigestLong = kind("digest", true)
export const changesStagingLong = kind("staging", true)
export const changesEverythingLong = kind("everything", true)
