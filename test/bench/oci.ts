/**
 * Making an ext4 of a container image, beside its floor: the same layers fetched, unpacked and hashed by curl, gzip and sha256sum, all
 * layers at a time, and their bytes written to one file. On this machine, without a host VM. `node test/bench/oci.ts [MB...]`
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import * as fs from "node:fs"
import * as http from "node:http"
import * as os from "node:os"
import * as path from "node:path"

const RUNS = 5
const LAYERS = 3
const work = fs.mkdtempSync(path.join(os.tmpdir(), "banger-bench-"))
const PROGRAM = path.resolve("build/bin/banger-oci")

const sha256 = (content: Buffer | string) => `sha256:${createHash("sha256").update(content).digest("hex")}`

/** Layers of files of this machine, about so many MB unpacked in all. */
const makeImage = (mb: number) => {
  const files = spawnSync("find", ["/usr/lib", "/usr/share", "/usr/bin", "-xdev", "-type", "f", "-size", "-8M", "-printf", "%s %p\n"], { encoding: "utf8", maxBuffer: 1 << 28 }).stdout.trim().split("\n").map((line) => {
    const [size = "0", ...name] = line.split(" ")
    return { size: Number(size), name: name.join(" ") }
  })
  let next = 0
  let round = 0
  const blobs = new Map<string, Buffer>()
  const layers = Array.from({ length: LAYERS }, (_, at) => {
    const tree = path.join(work, `tree-${mb}-${at}`)
    for (let bytes = 0; bytes < mb * 1e6 / LAYERS; next++) {
      // Where this machine has too little, the same files again under another name.
      if (next === files.length) { next = 0; round++ }
      const file = files[next] as { size: number; name: string }
      const target = path.join(tree, String(round), file.name)
      fs.mkdirSync(path.dirname(target), { recursive: true })
      fs.copyFileSync(file.name, target)
      bytes += file.size
    }
    const tar = path.join(work, "layer.tar")
    spawnSync("tar", ["-C", tree, "-cf", tar, "."])
    fs.rmSync(tree, { recursive: true })
    const diffId = spawnSync("sha256sum", [tar], { encoding: "utf8" }).stdout.slice(0, 64)
    spawnSync("gzip", ["-6", "-f", tar])
    const packed = fs.readFileSync(`${tar}.gz`)
    blobs.set(sha256(packed), packed)
    return { diffId: `sha256:${diffId}`, digest: sha256(packed), size: packed.length }
  })
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) } }))
  blobs.set(sha256(config), config)
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(config), size: config.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size }))
  }))
  return { blobs, layers, manifest }
}

type Made = ReturnType<typeof makeImage>

const serve = async ({ blobs, manifest }: Made) => {
  const server = http.createServer((request, response) => {
    const name = request.url?.split("/").at(-1) ?? ""
    if (request.url === "/v2/") return void response.end()
    if (request.url === "/v2/app/manifests/1") return void response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json").end(manifest)
    const blob = blobs.get(name)
    if (blob === undefined) return void response.writeHead(404).end()
    response.setHeader("content-length", blob.length).end(blob)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return { server, host: `127.0.0.1:${(server.address() as { port: number }).port}` }
}

/** Peak resident memory of a process, KiB: the kernel's own high-water mark, looked at until the process is gone. */
const peakOf = (pid: number, seen: (kib: number) => void) =>
  setInterval(() => {
    try {
      seen(Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0))
    } catch {
      // It has ended.
    }
  }, 20)

const pull = async (host: string) => {
  const directory = fs.mkdtempSync(path.join(work, "pull-"))
  const began = performance.now()
  const child = spawn(PROGRAM, ["pull", "--cache", path.join(directory, "layers"), "--out", path.join(directory, "out"), `${host}/app:1`], { stdio: ["pipe", "ignore", "inherit"] })
  let peak = 0
  const look = peakOf(child.pid as number, (kib) => { peak = Math.max(peak, kib) })
  const [status] = await once(child, "close")
  clearInterval(look)
  const ms = performance.now() - began
  fs.rmSync(directory, { recursive: true })
  if (status !== 0) throw new Error(`banger-oci ended with ${status}`)
  return { ms, peakMib: peak / 1024 }
}

const floor = async (host: string, { layers }: Made) => {
  const directory = fs.mkdtempSync(path.join(work, "floor-"))
  const one = ({ digest }: { digest: string }, at: number) =>
    `(curl -sf http://${host}/v2/app/blobs/${digest} | tee >(sha256sum >sum${at}) >(cat >packed${at}) | gzip -dc | tee out${at} | sha256sum >unpacked${at}) &`
  const script = `cd ${directory}; ${layers.map(one).join("\n")}\nwait\ncat ${layers.map((_, at) => `out${at}`).join(" ")} | dd of=image bs=1M iflag=fullblock conv=fsync status=none`
  const began = performance.now()
  const [status] = await once(spawn("bash", ["-c", script], { stdio: "inherit" }), "close")
  const ms = performance.now() - began
  fs.rmSync(directory, { recursive: true })
  if (status !== 0) throw new Error(`the floor ended with ${status}`)
  return ms
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

try {
  for (const mb of process.argv.length > 2 ? process.argv.slice(2).map(Number) : [300, 2000]) {
    const image = makeImage(mb)
    const { host, server } = await serve(image)
    const pulls: Array<{ ms: number; peakMib: number }> = []
    const floors: Array<number> = []
    for (let run = 0; run < RUNS; run++) {
      floors.push(await floor(host, image))
      pulls.push(await pull(host))
    }
    server.close()
    const ours = median(pulls.map(({ ms }) => ms))
    const packed = image.layers.reduce((total, { size }) => total + size, 0) / 1e6
    process.stdout.write(`${mb} MB (${packed.toFixed(0)} MB packed): pull ${(ours / 1000).toFixed(1)} s, floor ${(median(floors) / 1000).toFixed(1)} s, ratio ${(ours / median(floors)).toFixed(2)}; peak memory ${Math.max(...pulls.map(({ peakMib }) => peakMib)).toFixed(0)} MiB\n`)
  }
} finally {
  fs.rmSync(work, { recursive: true, force: true })
}
