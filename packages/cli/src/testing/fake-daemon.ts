import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import * as NodeSocketServer from "@effect/platform-node-shared/NodeSocketServer"
import type * as Rpc from "@effect/rpc/Rpc"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { DaemonApi } from "@banger/domain/api.ts"
import { Image, Kernel } from "@banger/domain/catalog.ts"
import { BadSource, ImageInUse, ImageNotFound, VmBusy, VmNotFound } from "@banger/domain/errors.ts"
import { Digest, ImageName, KernelName, VmId, VmName } from "@banger/domain/ids.ts"
import type { ImageProgress, Progress } from "@banger/domain/progress.ts"
import { Finding, mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import type { Usage } from "@banger/domain/storage.ts"
import { VmDetail, VmUsage, VmView } from "@banger/domain/vm.ts"

const digest = Digest.make("d".repeat(64))

/** A daemon without VMs of its own: what it is told it notes, and every VM it tells of has the same agent. */
export interface FakeDaemon {
  readonly calls: Array<readonly [string, unknown]>
  vms: Array<VmView>
  readonly stop: () => Promise<void>
}

export const view = (name: string, vsock: string, state: VmView["state"] = "running"): VmView =>
  new VmView({
    id: VmId.make(Buffer.from(name.padEnd(8, "-")).toString("hex").slice(0, 16)), name: VmName.make(name), state, reason: state === "crashed" ? "signal 9 (SIGKILL)" : "",
    image: ImageName.make("debian-bookworm"), kernel: KernelName.make("host"), vcpu: 2, memoryMib: 2048, diskMib: 8192, nat: true,
    address: "172.16.0.5", dns: `${name}.vm`, createdAt: 0, startedAt: state === "running" ? 0 : null, uptimeMs: state === "running" ? 65_000 : null, ephemeral: false, autostart: false, run: null, vsock
  })

/** Answers in place of the fake's own. */
type Others = Partial<RpcGroup.HandlersFrom<RpcGroup.Rpcs<typeof DaemonApi>>>

export const fakeHandlers = (socket: string, vsock: string, files: { readonly consoleLog: string }, others: Others = {}) => {
  const calls: Array<readonly [string, unknown]> = []
  /** Once it exists, doctor has nothing left to fail. */
  const mended = `${files.consoleLog}.mended`
  const daemon: { vms: Array<VmView> } = { vms: [view("box", vsock), view("resting", vsock, "stopped"), view("hung", "/nonexistent/v.sock")] }
  const find = (ref: string) => {
    const found = daemon.vms.find(({ id, name }) => name === ref || id === ref)
    return found === undefined ? Effect.fail(new VmNotFound({ ref: ref as never })) : Effect.succeed(found)
  }
  const note = (call: string, payload: unknown) => Effect.sync(() => void calls.push([call, payload]))
  const operation = (call: string, message: string) => (payload: { readonly vm: string }) =>
    Stream.unwrap(Effect.gen(function*() {
      yield* note(call, payload)
      const vm = yield* find(payload.vm)
      if (vm.name === "hung") return yield* new VmBusy({ name: vm.name, doing: "stopped" })
      return Stream.make<Array<Progress>>({ _tag: "Step", step: "thought", ms: 3 }, { _tag: "Finished", vm, message: `${vm.name} ${message}` })
    }))
  const image = new Image({
    files: { name: ImageName.make("debian-bookworm"), generation: 1, rootfs: digest, seed: null }, kernel: null, rootfsBytes: 3 << 20, createdAt: 0, usedBy: ["box"], source: null, run: null
  })
  const made = (call: string) => (payload: unknown) =>
    Stream.unwrap(Effect.as(note(call, payload), Stream.make<Array<ImageProgress>>({ _tag: "Phase", phase: "fetch", done: 1, total: 2 }, { _tag: "Step", step: "fetched", ms: 5 }, { _tag: "Made", image, message: "made" })))
  const usages: ReadonlyArray<Usage> = [
    { what: "image", name: "image debian-bookworm", apparentBytes: 3 << 20, allocatedBytes: 2 << 20, removable: false },
    { what: "layers", name: "2 layers of container images", apparentBytes: 1 << 20, allocatedBytes: 1 << 20, removable: true }
  ]
  const images = new Set<string>([image.files.name, "alpine"])
  // The types of answers that may be another's leave open what those need: nothing.
  const handlers = DaemonApi.toLayer(DaemonApi.of({
    "vm.Create": (wanted) => wanted.image !== undefined && !images.has(wanted.image) ? Stream.fail(new ImageNotFound({ name: wanted.image })) : Stream.unwrap(Effect.as(note("Create", wanted), Stream.suspend(() => {
      const vm = view(wanted.name ?? "fresh-vm", wanted.name === "silent" ? "/nonexistent/v.sock" : vsock)
      daemon.vms.push(vm)
      return Stream.make<Array<Progress>>({ _tag: "Planned", vm }, { _tag: "Begun", step: "made the disk" }, { _tag: "Begun", step: "firecracker" }, { _tag: "Step", step: "made the disk", ms: 12 }, { _tag: "Finished", vm, message: "running" })
    }))),
    "vm.Start": operation("Start", "runs"),
    "vm.Stop": operation("Stop", "is stopped: in order"),
    "vm.Restart": operation("Restart", "runs"),
    "vm.Set": operation("Set", "is changed"),
    "vm.Delete": operation("Delete", "is deleted"),
    "vm.Kill": (payload) => Effect.zipRight(note("Kill", payload), Effect.asVoid(find(payload.vm))),
    "vm.List": () => Effect.succeed(daemon.vms),
    "vm.Watch": () => Stream.make(daemon.vms, daemon.vms.slice(1)),
    "vm.Get": ({ vm }) => find(vm),
    "vm.Show": ({ vm }) => Effect.map(find(vm), (found) => new VmDetail({
      vm: found, imageDigest: digest, kernelRelease: "6.1.0", mac: "02:62:6e:67:00:05", tap: "bng5", pid: 7,
      consoleLog: files.consoleLog, firecrackerLog: "/nonexistent/firecracker.log", disks: [{ file: "work", apparentBytes: 1 << 30, allocatedBytes: 1 << 20 }]
    })),
    "vm.Usage": ({ everyMs, vms }) => {
      let look = 0
      const usage = (vm: VmView) =>
        new VmUsage({ vm, atMs: look * everyMs, cpuMs: vm.state === "running" ? look * everyMs * 1.5 : null, memoryBytes: vm.state === "running" ? 300 << 20 : null, diskBytes: 1 << 30, sentBytes: vm.state === "running" ? 5 : null, receivedBytes: vm.state === "running" ? 2048 : null })
      return Stream.repeatEffect(Effect.map(Effect.forEach(vms.length > 0 ? vms : ["box"], find), (found) => (look++, found.map(usage))))
    },
    "vm.Events": ({ vm }) =>
      Stream.unwrap(Effect.map(find(vm), ({ name }) =>
        name === "crowded"
          ? Stream.concat(Stream.make("2020-01-01T00:00:00Z running", "2020-01-01T00:00:00Z paused: the disk is full", "2020-01-01T00:00:01Z running"), Stream.never)
          : Stream.make("2020-01-01T00:00:00Z created", "2020-01-02T00:00:00Z started"))),
    "vm.Hold": (payload) => Stream.unwrap(Effect.as(note("Hold", payload), Stream.never)),
    "vm.Keep": (payload) => note("Keep", payload),
    "image.List": () => Effect.succeed([image]),
    "image.Show": () => Effect.succeed(image),
    "image.Register": (payload) => Effect.as(note("Register", payload), image),
    "image.Pull": (payload) => payload.name === "slow" ? Stream.unwrap(Effect.as(note("Pull", payload), Stream.never)) : made("Pull")(payload),
    "image.Import": made("Import"),
    "image.Build": (payload) => Stream.unwrap(Effect.sync(() => {
      calls.push(["Build", payload])
      const log = `${files.consoleLog}.build`
      writeFileSync(log, "the guest ")
      return Stream.make<Array<ImageProgress>>({ _tag: "Step", step: "started", ms: 5 }, { _tag: "Log", path: log }).pipe(
        Stream.concat(Stream.execute(Effect.sync(() => appendFileSync(log, "speaks\n")))),
        Stream.concat(Stream.make<Array<ImageProgress>>({ _tag: "Made", image, message: "made" })),
        Stream.rechunk(1)
      )
    })),
    "image.Get": (payload) => payload.name === "nowhere" ? Stream.fail(new ImageNotFound({ name: payload.name })) : Stream.tap(made("Get")(payload), () => Effect.sync(() => void images.add(payload.name))),
    "image.Origin": ({ name, reference }) => Effect.succeed({ reference: name === undefined ? reference ?? null : null, mirrors: {} }),
    "image.Cancel": (payload) => Effect.as(note("Cancel", payload), true),
    "image.Delete": ({ name }) => Effect.fail(new ImageInUse({ name, vms: ["box"] })),
    "kernel.List": () => Effect.succeed([]),
    "kernel.Import": ({ name, release }) =>
      Effect.succeed(new Kernel({ files: { name, release, vmlinux: digest, initrd: digest, modules: digest }, createdAt: 0, usedBy: [] })),
    "kernel.Packages": ({ name }) => Effect.fail(new BadSource({ path: `kernel ${name}`, problem: "no catalog has it", fix: "see docs" })),
    "kernel.Delete": () => Effect.void,
    "host.Status": () => Effect.succeed({ pid: 7, version: "0.1.0", helper: null, socket, dns: "127.0.0.1:42069", log: "journalctl -u bangerd", running: 1, vms: 3 }),
    "host.Doctor": () => Effect.sync(() => [
      new Finding({ capability: "firecracker", check: "firecracker", verdict: ready("1.13.1") }),
      new Finding({ capability: "dns", check: "routing", verdict: warning("no resolved", "see docs") }),
      new Finding({ capability: "nat", check: "iptables", verdict: existsSync(mended) ? ready("found") : notReady("it is missing", mend(`touch ${mended}`)) })
    ]),
    "host.DiskUsage": () => Effect.succeed({ usages, freeBytes: 7 << 20 }),
    "host.Prune": (payload) => Effect.as(note("Prune", payload), usages.filter(({ removable }) => removable)),
    "host.Catalog": () => Effect.succeed([
      { kind: "image" as const, name: "void", about: "Void Linux", catalog: "file:///catalog.json" },
      { kind: "kernel" as const, name: "debian-6.1", about: "Debian 12's kernel", catalog: "file:///catalog.json" }
    ]),
    "host.Leaks": () => Effect.succeed(["tap bng9"]),
    ...others
  })) as Layer.Layer<Rpc.ToHandler<RpcGroup.Rpcs<typeof DaemonApi>>>
  return { calls, daemon, handlers }
}

export const startFakeDaemon = async (socket: string, vsock: string, files: { readonly consoleLog: string }, others: Others = {}): Promise<FakeDaemon> => {
  const { calls, daemon, handlers } = fakeHandlers(socket, vsock, files, others)
  const layer = RpcServer.layer(DaemonApi, { disableFatalDefects: true }).pipe(
    Layer.provide(handlers),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide([NodeSocketServer.layer({ path: socket }), RpcSerialization.layerNdjson])
  )
  const runtime = ManagedRuntime.make(layer)
  await runtime.runPromise(Effect.void)
  return Object.assign(daemon, { calls, stop: () => runtime.dispose() })
}
