import * as fs from "node:fs"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { levelOf, logging } from "./logging.ts"

/** The level, and what is complained of. */
const asked = (config: string, given: string | undefined) => {
  const told: Array<string> = []
  const listener = Logger.make(({ message }) => void told.push(String(message)))
  return Effect.map(Effect.provide(levelOf(config, given), Logger.replace(Logger.defaultLogger, listener)), (level) => [level, ...told])
}

describe("the daemon's log", () => {
  it.scopedLive("tells as much as its environment says, else the configuration; what neither can say is told, and no reason not to serve", () => Effect.gen(function*() {
    const config = `${yield* temporary}/config.toml`
    assert.deepStrictEqual(yield* asked(config, undefined), ["info"])
    fs.writeFileSync(config, 'log_level = "warn"\n')
    assert.deepStrictEqual(yield* asked(config, undefined), ["warn"])
    assert.deepStrictEqual(yield* asked(config, ""), ["warn"])
    assert.deepStrictEqual(yield* asked(config, "debug"), ["debug"])
    assert.deepStrictEqual(yield* asked(config, "verbose"), ["info", "BANGER_LOG_LEVEL is verbose: expected debug, info, warn or error"])
    fs.writeFileSync(config, 'log_level = "loud"\n')
    assert.deepStrictEqual(yield* asked(config, undefined), ["info", `${config}: line 1: log_level: expected debug, info, warn or error`])
  }))

  it.scopedLive("leaves out what is below its level", () => Effect.gen(function*() {
    const config = `${yield* temporary}/config.toml`
    const logged = (level: string) => Effect.gen(function*() {
      fs.writeFileSync(config, `log_level = "${level}"\n`)
      const told: Array<string> = []
      yield* Effect.all([Effect.logDebug("debug"), Effect.logInfo("info"), Effect.logWarning("warn"), Effect.logError("error")]).pipe(
        Effect.provide(Logger.add(Logger.make(({ message }) => void told.push(String(message))))),
        Effect.provide(logging(config)),
      )
      return told
    })
    assert.deepStrictEqual(yield* logged("debug"), ["debug", "info", "warn", "error"])
    assert.deepStrictEqual(yield* logged("info"), ["info", "warn", "error"])
    assert.deepStrictEqual(yield* logged("warn"), ["warn", "error"])
    assert.deepStrictEqual(yield* logged("error"), ["error"])
  }))
})
