/**
 * Bundles a daemon or a helper of one's own: `node packaging/build-daemon.ts ENTRY OUT.mjs`. `banger system install
 * --daemon OUT.mjs` (or `--helper`) installs it in place of banger's. docs/custom-capabilities.md
 */
import * as path from "node:path"
import { bundle } from "./bundle.ts"

const [entry, out] = process.argv.slice(2)
if (entry === undefined || out === undefined || !out.endsWith(".mjs")) {
  process.stderr.write("usage: node packaging/build-daemon.ts ENTRY.ts OUT.mjs\n")
  process.exit(2)
}
await bundle(path.dirname(path.resolve(out)), { [path.basename(out, ".mjs")]: path.resolve(entry) })
