import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Offer } from "@banger/domain/recipe.ts"
import type { VmState } from "@banger/domain/vm.ts"

/** Names that the daemon knows. */
export type Named =
  /** Of VMs in one of the states; of all without them. */
  | { readonly _tag: "Vms"; readonly states: ReadonlyArray<VmState> | undefined }
  | { readonly _tag: "Images" }
  | { readonly _tag: "Kernels" }
  /** In the catalogs, whether they are here or not. */
  | { readonly _tag: "Offers"; readonly kind: Offer["kind"] }

/** What may stand for the value of a flag or an argument, as far as it can be told while it is being typed. */
export type Candidates =
  | Named
  | { readonly _tag: "Words"; readonly words: ReadonlyArray<string> }
  | { readonly _tag: "Files" }
  /** A file here, or NAME:PATH in a VM that runs. */
  | { readonly _tag: "Places" }
  | { readonly _tag: "Directories" }

export const vms = (states?: ReadonlyArray<VmState>): Candidates => ({ _tag: "Vms", states })
export const images: Candidates = { _tag: "Images" }
export const kernels: Candidates = { _tag: "Kernels" }
export const offers = (kind: Offer["kind"]): Candidates => ({ _tag: "Offers", kind })
export const files: Candidates = { _tag: "Files" }
export const places: Candidates = { _tag: "Places" }
export const directories: Candidates = { _tag: "Directories" }

/** The words of a schema that is made of them. */
export const wordsOf = <A, I>(schema: Schema.Schema<A, I>): Candidates | undefined => {
  const ast = SchemaAST.typeAST(schema.ast)
  const words = (SchemaAST.isUnion(ast) ? ast.types : [ast]).flatMap((type) => SchemaAST.isLiteral(type) ? [String(type.literal)] : [])
  return words.length === 0 ? undefined : { _tag: "Words", words }
}

/** A declaration (of Options or Args), or what one was made of by mapping, repeating or defaulting it. */
interface Declared {
  readonly candidates?: Candidates
  readonly args?: object
  readonly options?: object
}
const declared = (self: object): Declared => self

/** The same declaration, which also says what may stand there. */
export const offering = (candidates: Candidates | undefined) => <T extends object>(self: T): T =>
  Object.assign(Object.create(Object.getPrototypeOf(self)), self, { candidates })

/** What a declaration, or one that it was made of, says may stand there. */
export const candidatesOf = (self: object): Candidates | undefined => {
  const { args, candidates, options } = declared(self)
  const inner = args ?? options
  return candidates ?? (inner === undefined ? undefined : candidatesOf(inner))
}
