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

/**
 * Node's own modules by a plain call in place of `import`: that reads every export of the module, some of which load what is
 * behind them only then: node:http with its WebSocket all of undici, 30 ms of the 190 of a `vm exec`.
 */
const builtins: esbuild.Plugin = {
  name: "builtins",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "builtin" }))
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`, loader: "js" }))
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
  plugins: [sqliteAddon, builtins],
  // CommonJS packages inside an ES module bundle ask for `require`.
  banner: { js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);` }
}

/** Bundles each entry point, by the name it gets: `<name>.mjs` in `outdir`. */
export const bundle = (outdir: string, entryPoints: Record<string, string>, options: esbuild.BuildOptions = {}) =>
  esbuild.build({ ...common, outdir, entryPoints, ...options })
