import { randomBytes, randomInt } from "node:crypto"
import { VmId, VmName } from "@banger/domain/ids.ts"

const ADJECTIVES =
  "amber brave brisk calm clever cosy crisp deft eager early fair fleet fond fresh gentle glad golden happy humble keen kind late lively lucky mellow merry mild neat nimble noble patient plain proud quick quiet rapid ready rosy sharp shiny silent sleek smart snug solid spry steady sunny swift tidy vivid warm wise witty zesty".split(" ")

const NOUNS =
  "alder aspen badger beaver birch bison cedar cicada condor crane curlew dingo egret falcon fern finch gecko gibbon heron hazel ibex ibis jackal jay kestrel kiwi lark lemur linnet lotus lynx magpie maple marten merlin mole newt oak ocelot orca osprey otter panda petrel pika plover puffin quail raven robin rowan sparrow stoat swift tapir teal tern thrush toucan vole walnut weasel willow wombat wren".split(" ")

const pick = (words: ReadonlyArray<string>): string => words[randomInt(words.length)] ?? ""

/** `brave-otter`. A name that is taken is drawn again by the caller. */
export const randomName = (): VmName => VmName.make(`${pick(ADJECTIVES)}-${pick(NOUNS)}`)

export const randomId = (): VmId => VmId.make(randomBytes(8).toString("hex"))
