/** Install, services, sandboxes, host reboot, uninstall (spec 8, 9). Last, since it takes banger away. */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, hostvm, inState, ok, reset, sh } from "../host.ts"

beforeAll(() => reset())

const score = (unit: string) =>
  ok(`systemd-analyze security ${unit} --no-pager 2>/dev/null | sed -n 's/.*exposure level for .*: \\([0-9.]*\\) .*/\\1/p'`, { root: true }).then(Number)

/** A web server of a guest that has no more than Perl. */
const SERVER = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 3000, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) { while (<$client>) { last if $_ eq "\\r\\n" } print $client "HTTP/1.0 200 OK\\r\\n\\r\\nfrom the guest\\n"; close $client }
`

/** What systemd-resolved says of the host, but for banger's own links. */
const resolved = async () =>
  (await ok("resolvectl status --no-pager")).split("\n\n").filter((part) => !/^Link \d+ \((?:br-banger|banger-dns|bng\d+)\)/.test(part))

describe("system", () => {
  it("doctor, status and an install that only checks find nothing that fails", async () => {
    const { status, stdout } = await sh("banger doctor")
    expect(stdout).not.toMatch(/FAIL/)
    expect(status).toBe(0)
    expect(JSON.parse(await ok("banger daemon status --json")).version).toBe("0.1.0")
    await ok("banger system status && test -S $(banger daemon socket) && sudo banger system install --check")
    await ok("banger completion bash | cmp - /usr/share/bash-completion/completions/banger")
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

  it("routes .vm names to it through systemd-resolved, whenever that runs", async () => {
    await sh("banger vm exec kept -- sh -c 'cat > /root/serve.pl; setsid perl /root/serve.pl </dev/null >/dev/null 2>&1 &'", { input: SERVER })
    const address = JSON.parse(await ok("banger vm show kept --json")).vm.address
    expect(await ok("getent hosts kept.vm")).toMatch(new RegExp(`^${address.replaceAll(".", "\\.")} +kept\\.vm$`))
    expect((await sh("getent hosts nobody.vm")).status).toBe(2)
    expect(await ok("curl -s --retry 20 --retry-connrefused http://kept.vm:3000/")).toBe("from the guest")
    expect(JSON.parse(await ok("banger vm ports kept --json"))).toContainEqual(expect.objectContaining({ port: 3000, url: "http://kept.vm:3000/" }))
    expect(await ok("banger doctor")).toMatch(/^ok {4}dns routing: NAME\.vm by 127\.0\.0\.53/m)
    for (const again of ["systemctl restart systemd-resolved", "systemctl kill --signal=KILL systemd-resolved", "systemctl stop systemd-resolved && systemctl start systemd-resolved", "systemctl stop systemd-resolved && ip link delete banger-dns && rm -r /run/systemd/resolve/netif && systemctl start systemd-resolved"]) {
      await ok(again, { root: true })
      await eventually("systemctl is-active banger-dns && getent hosts kept.vm")
    }
  })

  it("says what is wrong when the daemon is down, mends it when it is told to, and the next command starts it", async () => {
    // A guest that looks up a name would start it.
    await ok("systemctl stop 'bangerd-dns*' bangerd.socket bangerd.service", { root: true })
    const down = await sh("banger vm list")
    expect(down.status).toBe(5)
    expect(down.stderr).toMatch(/systemctl start bangerd/)
    // The host's own checks need no daemon, as before an install.
    const doctor = await sh("banger doctor")
    expect(doctor.status).toBe(1)
    expect(doctor.stdout).toMatch(/^FAIL {2}daemon: .*\n.*systemctl start bangerd[\s\S]*^ok {4}firecracker kvm: [\s\S]*^ok {4}tap-pool network tools: /m)
    // It mends that by itself, too, and writes a report that names nobody.
    const mended = await sh("banger doctor --fix --yes --bundle report")
    expect(mended.status, mended.stdout + mended.stderr).toBe(0)
    const report = await ok("cat report")
    expect(report).toMatch(/^== banger\nversion /)
    expect(report).not.toMatch(/\bkept\b|\bowner\b|hostvm/)
    await ok("systemctl start bangerd-dns.socket bangerd-dns-guests.socket bangerd-dns-link.socket", { root: true })
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

  it.runIf(ALL)("after a reboot of the host VMs are stopped, and their files are there; those with autostart run", async () => {
    await ok("banger vm create --name early --image plain --memory 192 --autostart && banger vm create --name late --image plain --memory 192 && banger vm stop late && banger vm set --autostart late")
    await hostvm("reboot")
    await eventually(`${inState("early", "running")} && ${inState("late", "running")}`)
    await ok("banger vm delete --force early late")
    expect(JSON.parse(await ok("banger vm show kept --json")).vm).toMatchObject({ state: "stopped", reason: "host rebooted" })
    await ok("banger vm start kept")
    expect(await ok("banger vm exec kept -- cat /root/kept /etc/kept")).toBe("root\nslash")
    expect(await ok("getent hosts kept.vm")).toMatch(/ kept\.vm$/)
  })

  it("uninstall refuses while VMs run, then takes everything with it", async () => {
    const refused = await sh("sudo banger system uninstall")
    expect(refused.status).toBe(1)
    expect(refused.stderr).toMatch(/--stop/)
    const names = await resolved()
    await ok("sudo banger system uninstall --stop --purge")
    expect(await resolved()).toEqual(names)
    const left = await ok(`dmsetup ls | grep banger; losetup -a | grep banger; ip -br link | grep -E 'bng|banger'; iptables-save | grep -i banger
      nft list ruleset | grep -i banger; systemctl list-units --all --no-legend 'banger*'; systemctl list-unit-files --no-legend 'banger*'
      find /etc /run /var/lib /var/cache /usr/local -iname '*banger*' 2>/dev/null; grep -rl banger /etc/udev /etc/sysctl.d /etc/tmpfiles.d 2>/dev/null; true`, { root: true })
    expect(left).toBe("")
    expect(await ok("cat /proc/sys/net/ipv4/ip_forward")).toBe("0")
  })
})
