import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import type { VmId } from "@banger/domain/ids.ts"
import { hostBootId, hostUptime } from "../host-facts.ts"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"

interface Event {
  readonly line: string
  /** How long ago it was, in milliseconds. */
  readonly age: number
}

const BOOT = hostBootId().slice(0, 8)

/**
 * A line of the file is a time, the host's boot with its uptime, and what happened. The time of day is for the reader; how long
 * ago it was, the uptime says, whatever the clock was set to since. Earlier boots and earlier versions left the time alone.
 */
const kept = (now: number, message: string) => `${new Date(now).toISOString()}\t${BOOT}:${hostUptime()}\t${message}`
const read = (text: string, now: number): Event => {
  const [, time = "", boot, uptime, message = ""] = /^(\S+)(?:\t([0-9a-f]{8}):(\d+)\t| )(.*)$/s.exec(text) ?? []
  return { line: message === "" ? text : `${time} ${message}`, age: boot === BOOT ? hostUptime() - Number(uptime) : now - Date.parse(time) }
}

/** What happened to each VM, a line each, kept beside its record and gone with it. */
export class Events extends Context.Tag("@banger/daemon/Events")<Events, {
  /** Never fails: a line that cannot be written is in the daemon's own log. */
  readonly append: (vm: VmId, message: string) => Effect.Effect<void>
  /** `within`: only what is no longer ago, in milliseconds. */
  readonly lines: (vm: VmId, follow: boolean, within: number) => Stream.Stream<string>
}>() {
  /** `directory` holds one directory for each VM. */
  static readonly layer = (directory: string) => Layer.effect(Events, Effect.gen(function*() {
    const log = (vm: VmId) => `${directory}/${vm}/events.log`
    const feed = yield* PubSub.unbounded<{ readonly vm: VmId; readonly line: string }>()
    const past = (vm: VmId, within: number) =>
      Effect.zip(file(log(vm), () => fs.readFile(log(vm), "utf8")), Clock.currentTimeMillis).pipe(
        Effect.map(([text, now]) => text.split("\n").filter((line) => line !== "").map((line) => read(line, now)).filter(({ age }) => age <= within).map(({ line }) => line)),
        // No event yet, or the VM is being deleted.
        Effect.orElseSucceed((): ReadonlyArray<string> => [])
      )
    return {
      append: (vm, message) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const event = kept(now, message)
          yield* Effect.logInfo(message).pipe(Effect.annotateLogs({ vm }))
          yield* file(log(vm), () => fs.appendFile(log(vm), `${event}\n`, { mode: 0o600 })).pipe(
            Effect.catchAll((error) => Effect.logWarning(error.message))
          )
          yield* PubSub.publish(feed, { vm, line: read(event, now).line })
        }),
      lines: (vm, follow, within) =>
        Stream.unwrapScoped(Effect.gen(function*() {
          if (!follow) return Stream.fromIterable(yield* past(vm, within))
          // Subscribed before the past is read: an event between the two is in both, and told once.
          const next = yield* PubSub.subscribe(feed)
          const before = yield* past(vm, within)
          const after = Stream.fromQueue(next).pipe(
            Stream.filter((event) => event.vm === vm && !before.includes(event.line)),
            Stream.map(({ line }) => line)
          )
          return Stream.concat(Stream.fromIterable(before), after)
        }))
    }
  }))
}
