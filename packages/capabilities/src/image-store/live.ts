import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Helper } from "../helper.ts"
import { ImageStore } from "./contract.ts"

export const layer = Layer.effect(ImageStore, Effect.map(Helper, ({ store }) => ({
  ingest: (staging) => store.Ingest({ staging }),
  extend: (digest, sizeMib) => store.Extend({ digest, sizeMib }),
  seal: (vm, image) => store.Seal({ vm, image }),
  remove: (digest) => store.Remove({ digest }),
  facts: store.Facts(),
  list: store.List()
})))
