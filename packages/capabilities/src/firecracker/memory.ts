import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryHost } from "../memory-host.ts"
import { FirecrackerApi, FirecrackerFault, VmExits } from "./contract.ts"
import { type ApiRequest, PAUSE } from "./machine.ts"
import { FirecrackerOps } from "./ops.ts"

export const handlers = FirecrackerOps.toLayer(Effect.map(MemoryHost, (host) => FirecrackerOps.of({
  "firecracker.Find": ({ vm }) => Effect.map(host.has(`unit ${vm}`), (found) => found ? { pid: 42, startTime: "1" } : null),
  "firecracker.Start": ({ vm }) => Effect.as(host.add(`unit ${vm}`), { pid: 42, startTime: "1" }),
  "firecracker.Kill": ({ vm }) => host.delete(`unit ${vm}`),
  "firecracker.Remove": ({ vm }) => Effect.zipRight(host.delete(`unit ${vm}`), host.delete(`paused ${vm}`)),
  "firecracker.EnsureLog": ({ vm }) => host.add(`estate log ${vm}`),
  "firecracker.RemoveLog": ({ vm }) => host.delete(`estate log ${vm}`),
  "firecracker.Facts": () => Effect.succeed({ firecracker: "Firecracker v1.15.1", linker: null, jailer: "Jailer v1.15.1", changeable: null, directory: "/usr/local/bin", hidden: null, misnamed: null }),
  "firecracker.MachineFacts": () => Effect.succeed({ arch: "x64", systemd: "systemd 252", unified: true, jails: { at: "/", forbids: [] } }),
  "firecracker.KvmFacts": () => Effect.succeed({ state: "works" as const, problem: "", module: "kvm_amd" as const, virtual: false })
})))

/** A Firecracker that takes every request, and VMs that never end by themselves. */
export const services = Layer.merge(
  Layer.effect(FirecrackerApi, Effect.map(MemoryHost, (host) => ({
    createLog: () => Effect.void,
    keepLog: () => Effect.void,
    tripleFault: () => Effect.succeed(false),
    boundConsole: () => Effect.void,
    connect: (socket: string) => {
      const paused = `paused ${path.basename(path.dirname(socket))}`
      const patch = (request: ApiRequest) =>
        Effect.mapError(request === PAUSE ? host.add(paused) : host.delete(paused), ({ problem }) => new FirecrackerFault({ request: `PATCH ${request.path}`, fault: problem }))
      return Effect.succeed({
        put: () => Effect.void,
        patch,
        version: "1.15.1",
        state: Effect.sync(() => host.objects.has(paused) ? "Paused" as const : "Running" as const)
      })
    }
  }))),
  Layer.succeed(VmExits, { await: () => Effect.never })
)
