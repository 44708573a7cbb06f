import { createHash } from "node:crypto"
import { textAt } from "@banger/capabilities/download.ts"
import { BadSource } from "@banger/domain/errors.ts"
import type { ImageName, KernelName } from "@banger/domain/ids.ts"
import { type Bundle, type CatalogEntry, CatalogFile, type KnownFile, type Offer, type Recipe } from "@banger/domain/recipe.ts"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { orElse, type Proxy, proxyIn, type Session } from "@banger/domain/session.ts"
import { Config } from "../config.ts"

/** Bytes of a catalog, or of a script in it. */
const MAX_TEXT = 1 << 20

/** Where banger's own catalog lies, beside the daemon's bundle. */
const OWN = new URL("catalog/catalog.json", import.meta.url)

/** What the catalogs know of a name. */
export type Known =
  | { readonly kind: "recipe"; readonly recipe: Recipe; readonly script: string; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: "bundle"; readonly bundle: Bundle; readonly url: string }

const bad = (path: string, fix: string) => (error: { readonly message: string }) => new BadSource({ path, problem: error.message, fix })

const read = (url: URL, proxy: Proxy): Effect.Effect<string, BadSource> =>
  Effect.mapError(textAt(url, proxy, MAX_TEXT), bad(url.href, "check [catalog] urls in the configuration"))

/** An address that a catalog names. One that came from elsewhere names nothing on this host. */
const within = (catalog: URL, address: string) =>
  Effect.try({ try: () => new URL(address, catalog), catch: () => new BadSource({ path: catalog.href, problem: `${JSON.stringify(address)} is no address`, fix: "ask whoever keeps the catalog" }) }).pipe(
    Effect.filterOrFail(
      (url) => url.protocol === "https:" || url.protocol === "http:" || (url.protocol === "file:" && catalog.protocol === "file:"),
      (url) => new BadSource({ path: catalog.href, problem: `it names ${url.href}: a catalog of a web server can only name what is on one`, fix: "ask whoever keeps the catalog" })
    )
  )

const catalogAt = (url: URL, proxy: Proxy) =>
  read(url, proxy).pipe(
    Effect.flatMap((text) => Effect.mapError(Schema.decode(Schema.parseJson(CatalogFile))(text), bad(url.href, "docs/images.md says what a catalog looks like")))
  )

/** A variable that the recipe does not have is a mistake in the configuration. */
const environment = (name: ImageName, { parameters }: Recipe, given: Readonly<Record<string, string>>) => {
  const unknown = Object.keys(given).find((key) => !(key in parameters))
  return unknown === undefined
    ? Effect.succeed({ ...parameters, ...given })
    : new BadSource({ path: `recipe ${name}`, problem: `it has no parameter ${unknown}`, fix: `it has ${Object.keys(parameters).join(", ")}` })
}

const scriptOf = (recipe: Recipe, catalog: URL, proxy: Proxy) =>
  Effect.gen(function*() {
    const url = yield* within(catalog, recipe.script)
    const script = yield* read(url, proxy)
    const digest = createHash("sha256").update(script).digest("hex")
    if (recipe.sha256 === undefined ? catalog.href === OWN.href : recipe.sha256 === digest) return script
    return yield* new BadSource({
      path: url.href,
      problem: recipe.sha256 === undefined ? "its catalog gives no sha256 for it" : `its sha256 is ${digest}, not ${recipe.sha256}`,
      fix: "ask whoever keeps the catalog"
    })
  })

const settings = Effect.map(Config, (config) => Effect.map(Effect.mapError(config.read, bad("the configuration", "correct it: all keys are optional")), (user) => ({ ...user.catalog, proxy: proxyIn(user) })))

/** What goes with a request: the caller's session, with the configuration's proxy where that has none. */
export const makeSession = Effect.map(settings, (read) => (given: Session | undefined) =>
  Effect.map(read, ({ proxy }): Session => ({ logins: given?.logins ?? {}, proxy: orElse(given?.proxy, proxy) })))

/** By registry, as banger-oci calls it, the host that is asked first. */
export const makeMirrors = Effect.map(settings, (read) =>
  Effect.map(read, ({ mirrors }) => Object.fromEntries(Object.entries(mirrors ?? {}).map(([registry, host]) => [registry === "docker.io" ? "index.docker.io" : registry, host]))))

/** Not what every object has: `constructor` is a name like another. */
const own = <K extends string, A>(entries: Readonly<Record<K, A>>, name: K): A | undefined => Object.hasOwn(entries, name) ? entries[name] : undefined

interface At {
  readonly url: URL
  readonly catalog: typeof CatalogFile.Type
}

/** One after the other, those of the user's first, then banger's own; each is read anew when it is asked for. */
const catalogs = (urls: ReadonlyArray<string> | undefined, proxy: Proxy, ofBanger = OWN): ReadonlyArray<Effect.Effect<At, BadSource>> =>
  [...urls ?? [], ofBanger.href].map((text) =>
    Effect.try({ try: () => new URL(text), catch: () => new BadSource({ path: text, problem: "it is no URL", fix: "correct [catalog] urls in the configuration" }) }).pipe(
      Effect.flatMap((url) => Effect.map(catalogAt(url, proxy), (catalog) => ({ url, catalog })))
    ))

/** The first that has it. */
const search = <A, B>(all: ReadonlyArray<Effect.Effect<At, BadSource>>, pick: (catalog: typeof CatalogFile.Type) => A | undefined, use: (entry: A, catalog: URL) => Effect.Effect<B, BadSource>) =>
  Effect.gen(function*() {
    for (const one of all) {
      const { catalog, url } = yield* one
      const entry = pick(catalog)
      if (entry !== undefined) return Option.some(yield* use(entry, url))
    }
    return Option.none<B>()
  })

/** Looks an image's name up. */
export const makeRecipes = Effect.map(settings, (read) => {
  const known = (name: ImageName, entry: CatalogEntry, catalog: URL, given: Readonly<Record<string, string>>, proxy: Proxy): Effect.Effect<Known, BadSource> =>
    entry.kind === "bundle"
      ? Effect.map(within(catalog, entry.url), ({ href }) => ({ kind: "bundle", bundle: entry, url: href }))
      : Effect.map(Effect.all([scriptOf(entry, catalog, proxy), environment(name, entry, given)]), ([script, env]) => ({ kind: "recipe", recipe: entry, script, env }))

  return (name: ImageName, { proxy }: Session): Effect.Effect<Option.Option<Known>, BadSource> =>
    Effect.flatMap(read, ({ parameters, urls }) =>
      search(catalogs(urls, proxy), ({ images }) => own(images, name), (entry, catalog) => known(name, entry, catalog, parameters?.[name] ?? {}, proxy)))
})

/** Looks a kernel's name up: its packages, at addresses that are whole. */
export const makeKernelPackages = Effect.map(settings, (read) =>
  (name: KernelName, { proxy }: Session): Effect.Effect<Option.Option<ReadonlyArray<KnownFile>>, BadSource> =>
    Effect.flatMap(read, ({ urls }) =>
      search(catalogs(urls, proxy), ({ kernels }) => own(kernels, name), ({ packages }, catalog) =>
        Effect.forEach(packages, (file) => Effect.map(within(catalog, file.url), ({ href }) => ({ ...file, url: href }))))))

/** Everything that has a name in a catalog: of two that share one, that which a pull would take. */
export const makeOffers = (ofBanger = OWN) => Effect.map(settings, (read) => ({ proxy }: Session): Effect.Effect<ReadonlyArray<Offer>, BadSource> =>
  Effect.gen(function*() {
    const { urls } = yield* read
    const all = yield* Effect.all(catalogs(urls, proxy, ofBanger), { concurrency: "unbounded" })
    const offers = all.flatMap(({ catalog: { images, kernels }, url: { href: catalog } }): ReadonlyArray<Offer> => [
      ...Object.entries(images).map(([name, { about }]) => ({ kind: "image" as const, name, about, catalog })),
      ...Object.entries(kernels).map(([name, { about }]) => ({ kind: "kernel" as const, name, about, catalog }))
    ])
    return Array.dedupeWith(offers, (one, other) => one.kind === other.kind && one.name === other.name)
  }))
