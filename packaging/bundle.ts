/** How our programs become one file each. */
import * as path from "node:path"
import * as esbuild from "esbuild"

export const ROOT = path.dirname(path.dirname(new URL(import.meta.url).pathname))

/** better-sqlite3 ships an addon a platform; ours lies beside the bundle. */
export const SQLITE_ADDON = path.join(ROOT, "node_modules/better-sqlite3/prebuilds/linux-x64.node")
const sqliteAddon: esbuild.Plugin = {
  name: "sqlite-addon",
  setup(build) {
    build.onResolve({ filter: /linux-x64\.node$/ }, () => ({ path: "./better_sqlite3.node", external: true }))
  }
}

const common: esbuild.BuildOptions = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  outExtension: { ".js": ".mjs" },
  minify: true,
  keepNames: false,
  legalComments: "none",
  logLevel: "warning",
  alias: { "better-sqlite3": path.join(ROOT, "node_modules/better-sqlite3/lib/linux-x64.js") },
  plugins: [sqliteAddon],
  // CommonJS packages inside an ES module bundle ask for `require`.
  banner: { js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);` }
}

/** Bundles each entry point, by the name it gets: `<name>.mjs` in `outdir`. */
export const bundle = (outdir: string, entryPoints: Record<string, string>, options: esbuild.BuildOptions = {}) =>
  esbuild.build({ ...common, outdir, entryPoints, ...options })
