import { DEFAULT_LOG_LEVEL, LogLevelName } from "@banger/domain/config.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { readConfig } from "./config.ts"

const LEVELS: Readonly<Record<LogLevelName, LogLevel.LogLevel>> = { debug: LogLevel.Debug, info: LogLevel.Info, warn: LogLevel.Warning, error: LogLevel.Error }

const json = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.jsonLogger))

/** The level that counts. A daemon that cannot know it serves all the same: it says so, and doctor says what is wrong with the configuration. */
export const levelOf = (config: string, given: string | undefined): Effect.Effect<LogLevelName> =>
  given !== undefined && given !== ""
    ? Schema.is(LogLevelName)(given)
      ? Effect.succeed(given)
      : Effect.as(Effect.logWarning(`BANGER_LOG_LEVEL is ${given}: expected debug, info, warn or error`), DEFAULT_LOG_LEVEL)
    : readConfig(config).pipe(
      Effect.map(({ log_level }) => log_level ?? DEFAULT_LOG_LEVEL),
      Effect.catchAll(({ message }) => Effect.as(Effect.logWarning(message), DEFAULT_LOG_LEVEL))
    )

/** The daemon's log, for the journal: a line of JSON each, from the level on that counted when the daemon started. */
export const logging = (config: string) =>
  Layer.unwrapEffect(Effect.map(levelOf(config, process.env["BANGER_LOG_LEVEL"]), (level) => Logger.minimumLogLevel(LEVELS[level]))).pipe(Layer.provideMerge(json))
