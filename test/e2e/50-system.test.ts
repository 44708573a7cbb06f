/** Install, services, sandboxes, host reboot, uninstall (spec 8, 9). Last, since it takes banger away. */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, hostvm, inState, ok, reset, sh } from "../host.ts"

beforeAll(() => reset())

const score = (unit: string) =>
  ok(`systemd-analyze security ${unit} --no-pager 2>/dev/null | sed -n 's/.*exposure level for .*: \\([0-9.]*\\) .*/\\1/p'`, { root: true }).then(Number)

describe("system", () => {
  it("doctor finds nothing that fails", async () => {
    const { status, stdout } = await sh("banger doctor")
    expect(stdout).not.toMatch(/FAIL/)
    expect(status).toBe(0)
    expect(JSON.parse(await ok("banger daemon status --json")).version).toBe("0.1.0")
  })

  it("its services are sandboxed", async () => {
    await ok("banger vm create --name kept --image plain --memory 256 && banger vm exec kept -- sh -c 'echo root > /root/kept; echo slash > /etc/kept; sync'")
    const unit = `banger-vm@${JSON.parse(await ok("banger vm show kept --json")).vm.id}.service`
    expect(await score("bangerd.service")).toBeLessThanOrEqual(2.0)
    expect(await score("bangerd-root.service")).toBeLessThanOrEqual(4.0)
    expect(await score(unit)).toBeLessThanOrEqual(3.0)
  })

  it("another user can neither ask the daemon nor the helper", async () => {
    const ask = await sh("runuser -u nobody -- banger vm list", { root: true })
    expect(ask.status).toBe(5)
    expect((await sh("runuser -u nobody -- python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/run/banger-root/bangerd-root.sock\")'", { root: true })).stderr).toMatch(/Permission denied/)
  })

  it("says what is wrong when the daemon is down, and the next command starts it", async () => {
    // A guest that looks up a name would start it.
    await ok("systemctl stop bangerd-dns.socket bangerd-dns-guests.socket bangerd.socket bangerd.service", { root: true })
    const down = await sh("banger vm list")
    expect(down.status).toBe(5)
    expect(down.stderr).toMatch(/systemctl start bangerd/)
    // The host's own checks need no daemon, as before an install.
    const doctor = await sh("banger doctor")
    expect(doctor.status).toBe(1)
    expect(doctor.stdout).toMatch(/^FAIL {2}daemon: .*\n.*systemctl start bangerd[\s\S]*^ok {4}firecracker kvm: [\s\S]*^ok {4}tap-pool network tools: /m)
    await ok("systemctl start bangerd-dns.socket bangerd-dns-guests.socket bangerd.socket", { root: true })
    expect(await ok("banger vm list -q --all")).not.toBe("")
  })

  it.runIf(ALL)("a daemon that fails at each start leaves its socket listening, doctor says so, and it runs once the cause is gone", async () => {
    await ok(`systemctl stop bangerd && mkdir -p /run/systemd/system/bangerd.service.d
      printf '[Service]\nExecStart=\nExecStart=/bin/false\n' > /run/systemd/system/bangerd.service.d/broken.conf && systemctl daemon-reload && systemctl start --no-block bangerd`, { root: true })
    // More often than systemd's default limit allows within its ten seconds.
    await eventually('[ "$(systemctl show -P NRestarts bangerd)" -ge 6 ]')
    expect(await ok("systemctl is-active bangerd.socket bangerd-root.socket")).toBe("active\nactive")
    await ok("rm -r /run/systemd/system/bangerd.service.d && systemctl daemon-reload", { root: true })
    expect(await ok("banger vm list -q --all")).not.toBe("")
  })

  it.runIf(ALL)("jails that cannot hold devices and programs are found by doctor, and named by what starts a VM", async () => {
    await ok("mount --bind /var/lib/banger /var/lib/banger && mount -o remount,bind,nosuid,nodev,noexec /var/lib/banger", { root: true })
    const doctor = await sh("banger doctor")
    const create = await sh("banger vm create --name nowhere --image plain --memory 192")
    await eventually("umount /var/lib/banger", { root: true })
    expect(doctor.status).toBe(1)
    expect(doctor.stdout).toMatch(/FAIL .*\/var\/lib\/banger, which is mounted nodev and noexec.*\n.*mount -o remount,bind,dev,exec \/var\/lib\/banger/)
    expect(create.status).toBe(1)
    expect(create.stderr).toMatch(/mounted nodev and noexec/)
  })

  it.runIf(ALL)("after a reboot of the host VMs are stopped, and their files are there", async () => {
    await hostvm("reboot")
    await eventually(inState("kept", "stopped"))
    expect(JSON.parse(await ok("banger vm show kept --json")).vm.reason).toBe("host rebooted")
    await ok("banger vm start kept")
    expect(await ok("banger vm exec kept -- cat /root/kept /etc/kept")).toBe("root\nslash")
  })

  it("uninstall refuses while VMs run, then takes everything with it", async () => {
    const refused = await sh("sudo banger system uninstall")
    expect(refused.status).toBe(1)
    expect(refused.stderr).toMatch(/--stop/)
    await ok("sudo banger system uninstall --stop --purge")
    const left = await ok(`dmsetup ls | grep banger; losetup -a | grep banger; ip -br link | grep -E 'bng|banger'; iptables-save | grep -i banger
      nft list ruleset | grep -i banger; systemctl list-units --all --no-legend 'banger*'; systemctl list-unit-files --no-legend 'banger*'
      find /etc /run /var/lib /var/cache /usr/local -iname '*banger*' 2>/dev/null; grep -rl banger /etc/udev /etc/sysctl.d /etc/tmpfiles.d 2>/dev/null; true`, { root: true })
    expect(left).toBe("")
    expect(await ok("cat /proc/sys/net/ipv4/ip_forward")).toBe("0")
  })
})
