/**
 * Builds what an install consists of: build/{bin,lib,share,units}. The same tree is what `system install` copies to
 * /usr/local/lib/banger/<version>-<id>.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { bundle, NODE, ROOT, snapshot, SQLITE_ADDON } from "./bundle.ts"
import { share } from "./share.ts"

const OUT = path.join(ROOT, "build")
const LIB = path.join(OUT, "lib")
/** What is executed: policies of SELinux know programs by such a directory. */
const BIN = path.join(OUT, "bin")
const VERSION: string = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).version

const go = (program: string) =>
  execFileSync("go", ["build", "-trimpath", "-ldflags", `-s -w -X main.version=${VERSION}`, "-o", path.join(BIN, program), `./cmd/${program}`], {
    cwd: path.join(ROOT, "native"),
    env: { ...process.env, CGO_ENABLED: "0" },
    stdio: "inherit"
  })

const copy = (from: string, to: string, mode: number) => {
  fs.copyFileSync(from, to)
  fs.chmodSync(to, mode)
}

fs.rmSync(OUT, { recursive: true, force: true })
fs.mkdirSync(BIN, { recursive: true })
fs.mkdirSync(LIB)

await snapshot(LIB, "banger", path.join(ROOT, "packages/cli/src/main.ts"))
await bundle(LIB, {
  bangerd: path.join(ROOT, "packages/daemon/src/main.ts"),
  "bangerd-root": path.join(ROOT, "packages/root-helper/src/main.ts"),
  tui: path.join(ROOT, "packages/cli/src/tui/main.ts")
})

go("banger-bundle")
go("banger-copy")
go("banger-guest")
go("banger-kernel")
go("banger-kvm")
go("banger-oci")
go("banger-store")
go("banger-vm-stop")
execFileSync(path.join(BIN, "banger-kernel"), ["pack-guest", "--program", path.join(BIN, "banger-guest"), "--out", path.join(LIB, "guest.cpio")], { stdio: "inherit" })
fs.rmSync(path.join(BIN, "banger-guest"))

copy(SQLITE_ADDON, path.join(LIB, "better_sqlite3.node"), 0o644)
copy(NODE, path.join(BIN, "node"), 0o755)
fs.cpSync(path.join(ROOT, "packaging/units"), path.join(OUT, "units"), { recursive: true })
fs.cpSync(path.join(ROOT, "packaging/catalog"), path.join(LIB, "catalog"), { recursive: true })
share(path.join(OUT, "share"), VERSION)
copy(path.join(ROOT, "packaging/launcher"), path.join(BIN, "banger"), 0o755)
