import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as SELinux from "../selinux.ts"
import { kvm, machine, program } from "./check.ts"
import { interpreter } from "./elf.ts"
import { mountOf, unfit } from "./mounts.ts"

/** What is said of a Firecracker with which nothing is wrong. */
const FOUND = { directory: "/usr/local/bin", linker: null, changeable: null, hidden: null, misnamed: null }

const MOUNTS = [
  "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
  "30 22 254:1 / /var rw,nodev,noexec shared:2 - ext4 /dev/vdb rw",
  "31 30 254:1 /lib/banger /var/lib/banger rw,nosuid - ext4 /dev/vdb rw",
  "32 31 254:1 /lib/banger /var/lib/banger rw,nosuid,nodev,noexec - ext4 /dev/vdb rw",
  "33 22 254:2 / /var/lib/banger\\040two ro - ext4 /dev/vdc ro"
].join("\n")

describe("the file system of jails", () => {
  it("is the longest mount above them, and of several at one place the last", () => {
    assert.deepStrictEqual(mountOf(MOUNTS, "/var/lib/banger/root/jail"), { at: "/var/lib/banger", forbids: ["dev", "exec"] })
    assert.deepStrictEqual(mountOf(MOUNTS, "/var/lib/bangers"), { at: "/var", forbids: ["dev", "exec"] })
    assert.deepStrictEqual(mountOf(MOUNTS, "/var/lib/banger two/x"), { at: "/var/lib/banger two", forbids: ["rw"] })
    assert.deepStrictEqual(mountOf(MOUNTS, "/home"), { at: "/", forbids: [] })
  })

  it("is unfit where it takes no devices or programs, which a command mends", () => {
    assert.isNull(unfit({ at: "/", forbids: [] }))
    const facts = { arch: "x64", systemd: "systemd 257", unified: true, jails: mountOf(MOUNTS, "/var/lib/banger/root/jail") }
    const verdict = machine(facts)
    assert(verdict._tag === "NotReady" && verdict.runs)
    assert.strictEqual(verdict.fix, "sudo mount -o remount,bind,dev,exec /var/lib/banger")
    assert.strictEqual(machine({ ...facts, jails: { at: "/", forbids: [] } })._tag, "Ready")
  })
})

describe("a host on which no VM can start", () => {
  it("has cgroups of version 1", () => {
    const verdict = machine({ arch: "x64", systemd: "systemd 252", unified: false, jails: { at: "/", forbids: [] } })
    assert(verdict._tag === "NotReady")
    assert.include(verdict.fix, "systemd.unified_cgroup_hierarchy=1")
  })

  it("has no KVM, or one that runs no guest, which is mended in the kernel, the firmware or the cloud", () => {
    const facts = { state: "missing" as const, problem: "", module: "kvm_intel" as const, virtual: false }
    const fix = (changed: Partial<Parameters<typeof kvm>[0]>) => {
      const verdict = kvm({ ...facts, ...changed })
      return verdict._tag === "Ready" ? verdict.detail : verdict.fix
    }
    assert.strictEqual(fix({}), "sudo modprobe kvm_intel")
    assert.include(fix({ module: null }), "firmware")
    assert.include(fix({ module: null, virtual: true }), "nested virtualisation")
    assert.include(fix({ state: "broken", problem: "running it: input/output error" }), "firmware")
    assert.include(fix({ state: "broken", virtual: true }), "nested virtualisation")
    assert.include(fix({ state: "denied" }), "only root may try it")
    assert.strictEqual(fix({ state: "works" }), "/dev/kvm runs a guest")
  })

  it("has a Firecracker that wants a dynamic linker", () => {
    const linker = interpreter(readFileSync("/bin/ls").subarray(0, 64 << 10))
    assert.match(linker ?? "", /ld-linux/)
    const facts = { ...FOUND, firecracker: "Firecracker v1.15.1", jailer: "Jailer v1.15.1" }
    const verdict = program({ ...facts, linker })
    assert(verdict._tag === "NotReady")
    assert.match(verdict.problem, /linked dynamically \(\/lib.*ld-linux/)
    assert.strictEqual(program({ ...facts, linker: null })._tag, "Ready")
    // A script, half a header, a table beyond the file's end: no such program.
    const cut = readFileSync("/bin/ls").subarray(0, 70)
    assert.deepStrictEqual([Buffer.from("#!/bin/sh\n".repeat(20)), Buffer.alloc(0), cut].map(interpreter), [null, null, null])
  })

  it("has a Firecracker that is said to lose VMs that were paused", () => {
    const of = (version: string) => program({ ...FOUND, firecracker: `Firecracker v${version}`, jailer: `Jailer v${version}` })
    assert.match(JSON.stringify(of("1.16.0")), /Warning.*paused.*banger vm restart/)
    assert.strictEqual(of("1.15.1")._tag, "Ready")
    assert.match(JSON.stringify(of("1.17.0")), /newer than 1\.16/)
  })

  it("has a Firecracker that somebody could change, that services do not see, or whose jailer is not its own", () => {
    const facts = { ...FOUND, directory: "/opt/fc", firecracker: "Firecracker v1.15.1", jailer: "jailer v1.15.1" }
    const of = (changed: Partial<Parameters<typeof program>[0]>) => {
      const verdict = program({ ...facts, ...changed })
      return verdict._tag === "Ready" ? verdict.detail : `${verdict._tag}: ${verdict.problem}; ${verdict.fix}`
    }
    assert.strictEqual(of({}), "Firecracker 1.15.1")
    assert.match(of({ changeable: "/opt", firecracker: null, jailer: null }), /^NotReady: others than root can change \/opt; sudo chown root:root \/opt/)
    assert.match(of({ hidden: "/root/fc/firecracker", firecracker: null }), /^NotReady: \/root\/fc\/firecracker is out of sight.*into \/usr\/local\/bin/)
    assert.match(of({ firecracker: null }), /^NotReady: firecracker is missing or does not run; put firecracker and jailer of a release of Firecracker into \/opt\/fc, then/)
    assert.match(of({ jailer: null }), /^NotReady: jailer is missing beside firecracker/)
    assert.match(of({ jailer: "Jailer v1.14.0" }), /^NotReady: jailer is of version 1\.14\.0, firecracker of 1\.15\.1; .*\/opt\/fc/)
    assert.match(of({ misnamed: "/opt/fc/firecracker-v1.15.1-x86_64" }), /^NotReady: \/opt\/fc\/firecracker-v1\.15\.1-x86_64 must itself be called/)
    assert.match(of({ firecracker: "Firecracker v1.7.0", jailer: "Jailer v1.7.0" }), /^NotReady: Firecracker 1\.7\.0 is too old/)
  })

  it("labels programs of services as something else, where SELinux decides", () => {
    const facts = { mode: "enforcing" as const, program: "/p", label: "system_u:object_r:lib_t:s0", execmem: null }
    assert.strictEqual(SELinux.judge(facts)._tag, "NotReady")
    assert.strictEqual(SELinux.judge({ ...facts, label: null })._tag, "NotReady")
    assert.strictEqual(SELinux.judge({ ...facts, mode: "permissive" })._tag, "Warning")
    for (const label of ["system_u:object_r:bin_t:s0", "unconfined_u:object_r:bangerd_exec_t", "system_u:object_r:bin_t"]) assert.strictEqual(SELinux.judge({ ...facts, label })._tag, "Ready")
    assert.strictEqual(SELinux.judge({ ...facts, mode: "off", label: null })._tag, "Ready")
    assert.match(JSON.stringify(SELinux.judge({ ...facts, mode: "permissive", label: "system_u:object_r:bin_t:s0", execmem: false })), /Warning.*setsebool -P allow_execmem on/)
  })
})
