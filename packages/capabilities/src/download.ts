import * as fs from "node:fs/promises"
import * as Http from "node:http"
import * as Https from "node:https"
import { type Proxy, proxyVariables } from "@banger/domain/session.ts"
import * as Effect from "effect/Effect"
import { file } from "./files.ts"

const TIMEOUT = "30 seconds"
const MAX_REDIRECTS = 5

const tooLong = (most: number) => new Error(`it is longer than ${most} bytes`)

/** One answer: a text, or the address to ask instead. */
const answer = (url: URL, agent: Https.Agent | Http.Agent, most: number, signal: AbortSignal) =>
  new Promise<string | URL>((resolve, reject) => {
    const { get } = url.protocol === "https:" ? Https : Http
    get(url, { agent, signal }, (response) => {
      const { headers: { location }, statusCode = 0 } = response
      if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
        response.destroy()
        const next = URL.parse(location, url.href)
        if (next?.protocol === "https:" || (next?.protocol === "http:" && url.protocol === "http:")) return resolve(next)
        return reject(new Error(`${url.host} sends us to ${JSON.stringify(location)}`))
      }
      if (statusCode !== 200) {
        response.destroy()
        return reject(new Error(`${url.host} answers ${statusCode}`))
      }
      const chunks: Array<Buffer> = []
      let size = 0
      response.on("error", reject).on("data", (chunk: Buffer) => {
        size += chunk.length
        if (size > most) response.destroy(tooLong(most))
        else chunks.push(chunk)
      }).on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
    }).on("error", reject)
  })

/** A text of a web server. Node's own `fetch` takes its proxy from the environment of a program's start, not of a request. */
export const download = (url: URL, proxy: Proxy, most: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const proxyEnv = { ...process.env, ...proxyVariables(proxy) }
      return { "http:": new Http.Agent({ proxyEnv }), "https:": new Https.Agent({ proxyEnv }) }
    }),
    (agents) =>
      Effect.tryPromise({
        try: async (signal) => {
          let at = url
          for (let left = MAX_REDIRECTS; left >= 0; left--) {
            const said = await answer(at, agents[at.protocol === "https:" ? "https:" : "http:"], most, signal)
            if (typeof said === "string") return said
            at = said
          }
          throw new Error(`${url.host} redirects more than ${MAX_REDIRECTS} times`)
        },
        catch: (error) => error instanceof Error ? error : new Error(String(error))
      }).pipe(Effect.timeoutFail({ duration: TIMEOUT, onTimeout: () => new Error(`no answer within ${TIMEOUT}`) })),
    (agents) => Effect.sync(() => Object.values(agents).forEach((agent) => agent.destroy()))
  )

const local = (url: URL, most: number) =>
  file(url.pathname, async () => {
    const stat = await fs.stat(url)
    if (!stat.isFile()) throw new Error(`${url.pathname} is no file`)
    if (stat.size > most) throw tooLong(most)
    return fs.readFile(url, "utf8")
  })

/** A text of so many bytes at most, of a file or of a web server. */
export const textAt = (url: URL, proxy: Proxy, most: number): Effect.Effect<string, Error> => url.protocol === "file:" ? local(url, most) : download(url, proxy, most)
