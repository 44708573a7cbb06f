import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Helper } from "../helper.ts"
import { ImageStore } from "./contract.ts"

export const layer = Layer.effect(ImageStore, Effect.map(Helper, ({ store }) => ({
  ingest: (staging) => store.Ingest({ staging }),
  remove: (digest) => store.Remove({ digest }),
  list: store.List()
})))
