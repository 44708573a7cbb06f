import { Digest, ImageName, KernelName, type Slot, type VmId, type VmName } from "@banger/domain/ids.ts"
import { Milliseconds } from "@banger/domain/instant.ts"
import { Cidr } from "@banger/domain/network.ts"
import { DEFAULT_DISK_MIB, FIRST_LIST, VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** A record as it was read: whole, or what could be made out of one that this version cannot read. */
export interface Read {
  readonly record: VmRecord
  /** The text on the disk is left as it is until the VM is deleted: another version may read it. */
  readonly readable: boolean
}

const DIGESTS = /\b[0-9a-f]{64}\b/g

/** The files of the store that a text names, whatever else it says: they stay. */
export const digestsIn = (text: string): ReadonlyArray<Digest> => (text.match(DIGESTS) ?? []).map((digest) => Digest.make(digest))

const unknown = Digest.make("0".repeat(64))

/** What stands in for a part that cannot be read. Removing what a VM holds needs its id and its slot alone, which are in columns. */
const STAND_IN = {
  cidr: Cidr.make("172.16.0.0/24"),
  vcpu: 1,
  memoryMib: 128,
  diskMib: DEFAULT_DISK_MIB,
  nat: false,
  image: { name: ImageName.make("unknown"), generation: 0, rootfs: unknown, seed: null },
  kernel: { name: KernelName.make("unknown"), release: "unknown", vmlinux: unknown, initrd: unknown, modules: unknown },
  run: null,
  extra: {}
}

const object = (value: unknown): Readonly<Record<string, unknown>> => typeof value === "object" && value !== null ? { ...value } : {}

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The field's value where it can be read, else its stand-in. */
const part = <A, I>(schema: Schema.Schema<A, I>, value: unknown, standIn: A): A => Option.getOrElse(Schema.decodeUnknownOption(schema)(value), () => standIn)

/** The first thing that is wrong, in one line. */
export const problemOf = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  return issue === undefined ? error.message : `${issue.path.length === 0 ? "" : `${issue.path.join(".")}: `}${issue.message.split("\n")[0]}`
}

const decode = Schema.decodeEither(Schema.parseJson(VmRecord))

export interface Columns {
  readonly id: VmId
  readonly name: VmName
  readonly slot: Slot
}

/** Never fails: a record of another version, or half a one, is a broken VM with what can be known of it. */
export const read = (columns: Columns, text: string): Read =>
  Either.match(decode(text), {
    onRight: (record) => ({ record, readable: true }),
    onLeft: (error) => {
      const raw = object(json(text))
      const spec = object(raw["spec"])
      const { cidr, diskMib, image, kernel, memoryMib, nat, vcpu } = VmSpec.fields
      return {
        readable: false,
        record: new VmRecord({
          spec: new VmSpec({
            ...STAND_IN,
            ...columns,
            cidr: part(cidr, spec["cidr"], STAND_IN.cidr),
            vcpu: part(vcpu, spec["vcpu"], STAND_IN.vcpu),
            memoryMib: part(memoryMib, spec["memoryMib"], STAND_IN.memoryMib),
            diskMib: part(diskMib, spec["diskMib"], STAND_IN.diskMib),
            nat: part(nat, spec["nat"], STAND_IN.nat),
            image: part(image, spec["image"], STAND_IN.image),
            kernel: part(kernel, spec["kernel"], STAND_IN.kernel)
          }),
          state: "broken",
          reason: `this version cannot read its record (${problemOf(error)}), and leaves it and its files as they are`,
          createdAt: part(Milliseconds, raw["createdAt"], 0),
          startedAt: null,
          ephemeral: null,
          hostBoot: "",
          made: part(Schema.Array(Schema.String), raw["made"], FIRST_LIST),
          // All of it: a run of which nothing is known may have any part.
          taken: FIRST_LIST
        })
      }
    }
  })

/** Name and slot in a text that is no whole record, for a database that was lost. */
export const columnsIn = (text: string): Option.Option<Pick<Columns, "name" | "slot">> => {
  const { name, slot } = VmSpec.fields
  return Schema.decodeUnknownOption(Schema.Struct({ spec: Schema.Struct({ name, slot }) }))(json(text)).pipe(Option.map(({ spec }) => spec))
}
