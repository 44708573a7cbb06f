/** Install, services, sandboxes, host reboot, uninstall (spec 8, 9). Last, since it takes banger away. */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, firecrackers, hostvm, inState, leaks, ok, reset, sh, world, WORLD } from "../host.ts"

beforeAll(() => reset())

const score = (unit: string) =>
  ok(`systemd-analyze security ${unit} --no-pager 2>/dev/null | sed -n 's/.*exposure level for .*: \\([0-9.]*\\) .*/\\1/p'`, { root: true }).then(Number)

/** A web server of a guest that has no more than Perl. */
const SERVER = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 3000, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) { while (<$client>) { last if $_ eq "\\r\\n" } print $client "HTTP/1.0 200 OK\\r\\n\\r\\nfrom the guest\\n"; close $client }
`

/** A machine behind tap0, as far as it pings: its own address, whom, and for how many seconds; ends with 0 when an answer comes. */
const MACHINE = `import fcntl, os, select, struct, sys, time
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH", b"tap0", 0x1002))
def ip(text): return bytes(map(int, text.split(".")))
def summed(data, at):
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    n = (n & 0xffff) + (n >> 16)
    return data[:at] + struct.pack("!H", ~(n + (n >> 16)) & 0xffff) + data[at + 2:]
source, target = ip(sys.argv[1]), ip(sys.argv[2])
gateway = bytes.fromhex(open("/sys/class/net/tap0/address").read().strip().replace(":", ""))
packet = summed(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 1, 0, source, target), 10) + summed(struct.pack("!BBHHH", 8, 0, 0, 7, 1), 2)
end = time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    os.write(tap, gateway + b"\\2\\0\\0\\0\\0\\2\\x08\\0" + packet)
    while select.select([tap], [], [], 1)[0]:
        frame = os.read(tap, 2048)
        if frame[12:14] == b"\\x08\\0" and frame[26:30] == target and frame[34] == 0: sys.exit(0)
sys.exit(1)
`

/** A link of somebody's is one that forwarding may be needed for: uninstall would leave it on. */
const worldGone = () => ok("systemctl stop world-web && ip netns delete world && (ip link delete to-world 2>/dev/null || true)", { root: true })

/** What the owner's configuration says from now on. */
const configured = (text: string) => ok("mkdir -p ~/.config/banger && rm -f ~/.config/banger/config.toml && cat > ~/.config/banger/config.toml", { input: text })

const HOST_TOML = "/etc/banger/host.toml"

/** A wish that is refused, and changes nothing. */
const refused = async (text: string) => {
  await configured(text)
  const before = await ok(`cat ${HOST_TOML}`)
  const { status, stderr } = await sh("sudo banger system apply")
  expect(await ok(`cat ${HOST_TOML}`)).toBe(before)
  expect(status, stderr).toBe(1)
  return stderr
}

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

  it("what the owner wishes of the host counts once it is applied, with VMs running, and doctor warns until then", async () => {
    const running = await firecrackers()
    // All but this is kept free, so that little is to be written to reach it.
    const reserve = `${Number(await ok("df --output=avail -BM /var/lib/banger | tail -1 | tr -dc 0-9")) - 700}M`
    await ok(`echo '# of the administrator' >> ${HOST_TOML}`, { root: true })
    await configured(`log_level = "debug"\n[network]\nvm_to_vm = true\n[storage]\nreserve = "${reserve}"\n`)
    const before = await ok("banger doctor")
    expect(before).toMatch(/^warn {2}daemon host keys: .*network\.vm_to_vm: false -> true, storage\.reserve: "2G" -> .*\n +sudo \S*banger system apply$/m)
    expect(await ok("banger config show --json | jq -c '.[] | select(.key == \"network.vm_to_vm\") | [.value, .from, .wish]'")).toBe('["false","default","true"]')
    const dry = await ok("sudo banger system apply --dry-run")
    expect(dry).toMatch(/^\/etc\/banger\/host\.toml:\n {2}network\.vm_to_vm: false -> true\n {2}storage\.reserve: /)
    expect(await ok(`grep -v '^#' ${HOST_TOML} || true`)).toBe("")

    await ok("sudo banger system apply")
    expect(await ok(`cat ${HOST_TOML}`)).toMatch(/^# of the administrator$/m)
    expect(await firecrackers()).toBe(running)
    expect(await ok("banger doctor")).toMatch(/^ok {4}daemon host keys: /m)
    expect(await ok("banger config show --json | jq -c '.[] | select(.key == \"network.vm_to_vm\") | [.value, .source, .wish]'")).toBe(`["true","${HOST_TOML}",null]`)
    await eventually("! grep -qx 1 /sys/class/net/bng*/brport/isolated")
    await eventually("journalctl -u bangerd -n 200 -o cat | grep -q '\"logLevel\":\"DEBUG\"'", { root: true })
    expect((await sh("sudo banger system apply")).stderr).toMatch(/^nothing changes: /)

    // The reserve is the daemon's and the helper's figure, and that of commands.
    await ok("fallocate -l 800M /var/lib/banger/filler", { root: true })
    await eventually(inState("kept", "paused"))
    expect((await sh("banger vm create --name toomany --image plain --memory 192")).stderr).toMatch(/ are kept in reserve$/m)
    await ok("rm /var/lib/banger/filler", { root: true })
    await eventually(inState("kept", "running"))

    // Written by hand, it counts once the services have read it.
    await ok(`sed -i 's/^vm_to_vm = true/vm_to_vm = false/; s/^reserve = .*/reserve = "2G"/' ${HOST_TOML}`, { root: true })
    await configured("")
    expect(await ok("banger doctor")).toMatch(/^warn {2}daemon host keys: .*has changed since the services were started\n +sudo \S*banger system restart$/m)
    await ok("sudo banger system apply")
    expect(await ok("banger doctor")).toMatch(/^ok {4}daemon host keys: /m)
    await eventually("! grep -qx 0 /sys/class/net/bng*/brport/isolated")
  })

  it("what the owner wishes of the host is refused by name where it would do harm", async () => {
    expect(await refused('[network]\ncidr = "10.213.78.0/24"\n')).toMatch(/network\.cidr changes only while no VM runs, and one does\n.*banger vm stop --all/)
    expect(await refused('[storage]\nreserve = "900G"\n')).toMatch(/storage\.reserve is 900 GiB, and .* are free where VMs lie/)
    expect(await refused('[network]\ncird = "10.213.78.0/24"\n[storage]\nreserve = "1M"\n')).toMatch(/config\.toml: line 2: network\.cird: there is no such key; did you mean cidr\?; line 4: storage\.reserve: expected a size from 1G to 1T\n/)
    // Root's own file is told to nobody by way of a link in the owner's home.
    await ok("ln -sf /etc/shadow ~/.config/banger/config.toml")
    const link = await sh("sudo banger system apply")
    expect(link.status).toBe(1)
    expect(link.stderr).toMatch(/config\.toml: .*Permission denied/)
    expect(link.stderr + link.stdout).not.toMatch(/root:/)

    await ok("install -d -o owner /opt/fc && install -o owner /usr/local/bin/firecracker /usr/local/bin/jailer /opt/fc", { root: true })
    const wish = 'firecracker_bin = "/opt/fc/firecracker"\n'
    expect(await refused(wish)).toMatch(/firecracker_bin \/opt\/fc\/firecracker: others than root can change \/opt\/fc\n.*chown root:root \/opt\/fc/)
    await ok("chown root:root /opt/fc /opt/fc/firecracker", { root: true })
    expect(await refused(wish)).toMatch(/others than root can change \/opt\/fc\/jailer/)
    await ok("printf '#!/bin/sh\\necho Jailer v1.0.0\\n' > /opt/fc/jailer && chown root:root /opt/fc/jailer && chmod 755 /opt/fc/jailer", { root: true })
    expect(await refused(wish)).toMatch(/jailer is of version 1\.0\.0, firecracker of /)
    await ok("install /usr/local/bin/jailer /opt/fc && mv /opt/fc/firecracker /opt/fc/firecracker-v1 && ln -s firecracker-v1 /opt/fc/firecracker", { root: true })
    expect(await refused(wish)).toMatch(/\/opt\/fc\/firecracker-v1 must itself be called/)
    await ok("mv /opt/fc/firecracker-v1 /opt/fc/firecracker", { root: true })
    expect(await refused(wish.replace("/opt/fc", "/root/fc"))).toMatch(/out of sight of banger's services/)
  })

  it.runIf(ALL)("a Firecracker, a network and a key that are wished are what a VM has from its next start on", async () => {
    await ok("mkdir -p -m 700 ~/.ssh && rm -f ~/.ssh/banger* && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/banger")
    await configured('firecracker_bin = "/opt/fc/firecracker"\nssh_key_path = "~/.ssh/banger"\n')
    const running = await firecrackers()
    await ok("sudo banger system apply")
    expect(await firecrackers()).toBe(running)
    // The services have just been restarted: until the VM is found again nothing else is done to it.
    await ok("until banger vm stop kept; do sleep 1; done", { limit: 120 })
    await configured('firecracker_bin = "/opt/fc/firecracker"\nssh_key_path = "~/.ssh/banger"\n[network]\ncidr = "10.213.78.0/24"\n')
    await ok("sudo banger system apply && mv ~/.ssh/banger.pub ~/.ssh/away")
    const keyless = await sh("banger vm start kept")
    expect(keyless.status).toBe(1)
    expect(keyless.stderr).toMatch(/\.ssh\/banger\.pub is missing, which guests are given\n +ssh-keygen -y -f /)
    await ok("mv ~/.ssh/away ~/.ssh/banger.pub && banger vm start kept")
    const { address, id } = JSON.parse(await ok("banger vm show kept --json")).vm
    expect(address).toMatch(/^10\.213\.78\./)
    expect(await ok("getent hosts kept.vm")).toContain(address)
    expect(await ok(`systemctl show -P ExecStart banger-vm@${id}.service`)).toContain("/opt/fc/jailer")
    expect(await ok("banger vm exec kept -- cat /root/.ssh/authorized_keys")).toBe(await ok("cat ~/.ssh/banger.pub"))
    expect(await ok("grep IdentityFile /var/lib/banger/daemon/ssh/config")).toMatch(/"\/home\/owner\/\.ssh\/banger"$/)
    expect(await ok("banger doctor")).toMatch(/^ok {4}guest-config ssh key: \/home\/owner\/\.ssh\/banger$/m)
    // Back to what was there, which a wish has to name.
    await ok("banger vm stop kept")
    await configured('firecracker_bin = "/usr/local/bin/firecracker"\n[network]\ncidr = "172.16.0.0/24"\n')
    await ok("sudo banger system apply && banger vm start kept && sudo rm -r /opt/fc")
    expect(await ok("getent hosts kept.vm")).toMatch(/^172\.16\.0\./)
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

  it.runIf(ALL)("puts its bridge into a zone where there is a firewalld, and reloads nobody's rules for it", async () => {
    await world()
    const reach = `banger vm exec kept -- timeout 10 bash -c 'exec 3<>/dev/tcp/${WORLD}/80'`
    const zone = () => ok("firewall-cmd --get-zone-of-interface=br-banger", { root: true })
    await eventually(reach)
    expect((await sh("test -e /etc/firewalld")).status).toBe(1)
    // Installed after banger: what it rejects, doctor has seen.
    await ok("dpkg -i /srv/firewalld/*.deb", { root: true })
    await eventually("firewall-cmd --state", { root: true })
    expect((await sh(reach)).status).not.toBe(0)
    expect((await sh("banger doctor")).stdout).toMatch(/^(FAIL|warn) +nat: .*\n +sudo banger system restart$/m)
    await ok("firewall-cmd --add-port=4000/tcp && banger system restart", { root: true })
    await eventually(reach)
    await eventually("banger doctor | grep -q '^ok  *nat: guests reach'")
    expect(await zone()).toBe("trusted")
    expect(await ok("firewall-cmd --query-port=4000/tcp", { root: true })).toBe("yes")
    await ok("firewall-cmd --reload", { root: true })
    expect(await zone()).toBe("banger")
    await eventually(reach)
    // As uninstall meets it without a reload since.
    await ok("rm /etc/firewalld/zones/banger.xml && firewall-cmd --reload && banger system restart", { root: true })
    await eventually(reach)
    expect(await zone()).toBe("trusted")
    await worldGone()
  })

  it.runIf(ALL)("lets a machine behind somebody's own TAP out, and takes that back to the last rule", async () => {
    await world()
    await ok("cat > /run/machine.py; ip tuntap add dev tap0 mode tap && ip address add 172.30.0.1/30 dev tap0 && ip link set tap0 up && ip neigh replace 172.30.0.2 lladdr 02:00:00:00:00:02 dev tap0 nud permanent", { root: true, input: MACHINE })
    const pings = async (source: string, seconds: number) => (await sh(`python3 /run/machine.py ${source} ${WORLD} ${seconds}`, { root: true })).status === 0
    const rules = () => ok("nft -s list ruleset; iptables-save -t filter | grep -v '^#' | sed 's/\\[.*//'", { root: true })
    const before = await rules()
    expect(await pings("172.30.0.2", 4)).toBe(false)
    const up = JSON.parse(await ok("sudo banger internal nat up --tap tap0 --address 172.30.0.2 --json"))
    expect(up).toEqual({ tap: "tap0", address: "172.30.0.2", table: "ip banger-nat-tap0", chain: "BANGER-NAT-tap0" })
    const once = await rules()
    await ok("sudo banger internal nat up --tap tap0 --address 172.30.0.2")
    expect(await rules()).toBe(once)
    // As where Docker runs.
    await ok("iptables -P FORWARD DROP", { root: true })
    expect(await pings("172.30.0.2", 60)).toBe(true)
    expect(await pings("172.30.0.3", 4)).toBe(false)
    await ok("iptables -P FORWARD ACCEPT", { root: true })
    expect(await leaks()).toEqual([])
    for (const [flags, refusal] of [["--tap bng2 --address 172.30.0.2", "bng2 is banger's own"], ["--tap tap0 --address 172.16.0.9", "172.16.0.9 is of 172.16.0.0/24, the network of banger's VMs"], ["--tap eth0 --address 172.30.0.2", "eth0 is no TAP"], ["--tap tap9 --address 172.30.0.2", "there is no link tap9"]]) {
      const { status, stderr } = await sh(`sudo banger internal nat up ${flags}`)
      expect(status, flags).toBe(1)
      expect(stderr).toContain(`banger: ${refusal}\n`)
    }
    await ok("sudo banger internal nat down --tap tap0 && sudo banger internal nat down --json --tap tap0 | jq -e .chain")
    expect(await rules()).toBe(before)
    expect(await pings("172.30.0.2", 4)).toBe(false)
    // Left standing for uninstall, as by somebody who removes the TAP first.
    await ok("banger internal nat up --tap tap0 --address 172.30.0.2 && ip link delete tap0", { root: true })
    await worldGone()
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
      find /etc /run /var/lib /var/cache /usr/local -iname '*banger*' 2>/dev/null; grep -rl banger /etc/udev /etc/sysctl.d /etc/tmpfiles.d /etc/firewalld 2>/dev/null
      firewall-cmd --get-zone-of-interface=br-banger 2>/dev/null; true`, { root: true })
    expect(left).toBe("")
    expect(await ok("cat ~/.config/banger/config.toml")).not.toBe("")
    expect(await ok("cat /proc/sys/net/ipv4/ip_forward")).toBe("0")
  })
})
