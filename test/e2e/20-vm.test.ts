/** A VM's life, its network and its disks (spec 2, 3, 4, 5). */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, bootId, eventually, firecrackers, inState, leaks, ok, reset, sh, world } from "../host.ts"
import { lookUps } from "../look-ups.ts"
import { onTerminal } from "../terminal.ts"

/** From the guest without NAT to the server beyond the host: nobody answers, not even with a refusal. */
const outOfShut = () => sh("banger vm exec shut -- timeout 5 bash -c 'echo > /dev/tcp/198.51.100.2/80'")

/** What the kernel lets a VM's unit have, MiB: memory, swap. */
const limitsOf = async (id: string) =>
  (await ok(`cd /sys/fs/cgroup/banger.slice/banger-vm@${id}.service && cat memory.max memory.swap.max`)).split("\n").map((bytes) => Number(bytes) / 2 ** 20)

const show = async (name: string) => JSON.parse(await ok(`banger vm show ${name} --json`))

beforeAll(async () => {
  await reset()
  await ok("echo hello from the world > /srv/index.html", { root: true })
  await world()
  // The host's upstream resolver.
  await ok(`systemd-run -q --unit=upstream dnsmasq --keep-in-foreground --no-resolv --no-hosts --listen-address=127.0.0.2 --bind-interfaces --address=/world.example/198.51.100.2
    rm -f /etc/resolv.conf; echo nameserver 127.0.0.2 > /etc/resolv.conf`, { root: true })
  await ok("banger vm create --name web --image plain --kernel debian-6.1 --memory 256 --nat --no-autostart --verbose")
})

/** What came of an operation, in the last line of its JSON. */
const finished = async (command: string) => JSON.parse((await ok(`${command} | tail -n 1`)))

describe("vm", () => {
  it("is created, and told of as it comes", async () => {
    const lines = (await ok("banger vm create --name shut --image plain --memory 256 --no-nat --json")).split("\n").map((line) => JSON.parse(line))
    expect(lines[0]).toMatchObject({ _tag: "Planned", vm: { name: "shut", nat: false } })
    expect(lines.at(-1)).toMatchObject({ _tag: "Finished", vm: { name: "shut", state: "running" } })
  })

  it("is listed, shown and found by name, id and the beginning of its id", async () => {
    const list = await ok("banger ls")
    expect(list).toMatch(/web\s+running\s+plain\s+1\s+256 MiB\s+172\.16\.0\.2/)
    const { vm } = await show("web")
    expect(vm.state).toBe("running")
    expect((await show(vm.id)).vm.name).toBe("web")
    expect((await show(vm.id.slice(0, 6))).vm.name).toBe("web")
    expect(await ok("banger ps -q")).toContain(vm.id)
    // Told anew when something changes.
    await ok("(banger vm list --all --watch >watched & watching=$!; until grep -q '^web ' watched; do sleep 0.2; done; banger vm set --no-autostart web; until [ \"$(grep -c '^web ' watched)\" -ge 2 ]; do sleep 0.2; done; kill $watching)", { limit: 60 })
  })

  it("takes of its host what vm stats says", async () => {
    const { pid } = await show("web")
    const [figures, rss, sent] = [JSON.parse(await ok("banger vm stats --json web")), Number(await ok(`ps -o rss= -p ${pid}`)) * 1024, Number(await ok("cat /sys/class/net/bng2/statistics/rx_bytes"))]
    expect(Math.abs(figures.memoryBytes - rss) / rss).toBeLessThan(0.05)
    expect(figures.sentBytes).toBeLessThanOrEqual(sent)
    expect(figures.guestTotalBytes / 2 ** 20).toBeGreaterThan(180)
    expect(figures.guestUsedBytes).toBeLessThan(figures.guestTotalBytes)
    await ok("(banger vm stats --watch web >watched & watching=$!; until [ \"$(grep -c '^web ' watched)\" -ge 2 ]; do sleep 0.2; done; kill $watching)", { limit: 60 })
  })

  it("is held by its unit to its memory and what that takes on the host", async () => {
    const { vm: { id } } = await show("web")
    expect(await limitsOf(id)).toEqual([256 + 8 + 64 + 256, 256])
    // Read when the unit was loaded: nobody had to tell systemd.
    expect(await ok(`systemctl show -P NeedDaemonReload banger-vm@${id}`)).toBe("no")
  })

  it("tells of what listens in it just what ss says there", async () => {
    const listen = (rest: string) => `perl -MIO::Socket::INET -e 'my $held = IO::Socket::INET->new(${rest}) or die; sleep 600' </dev/null >/dev/null 2>&1 &`
    await ok(["banger vm exec web -- sh <<'END'", listen("LocalPort => 3000, Listen => 5"), listen('LocalAddr => "127.0.0.1", LocalPort => 3001, Listen => 5'), listen('LocalPort => 3002, Proto => "udp"'), "until [ \"$(ss -Hltnu | grep -c ':300[0-2] ')\" = 3 ]; do sleep 0.1; done", "END"].join("\n"))
    const ss = (await ok("banger vm exec web -- ss -Hltnup")).split("\n").map((line) => {
      const [protocol, , , , local = ""] = line.split(/\s+/)
      return `${protocol} ${local.replace("*:", "[::]:")} ${/pid=(\d+)/.exec(line)?.[1] ?? 0}`
    })
    const found: ReadonlyArray<{ protocol: string; address: string; port: number; pid: number }> = JSON.parse(await ok("banger vm ports web --json"))
    expect(found.map(({ address, pid, port, protocol }) => `${protocol} ${address.includes(":") ? `[${address}]` : address}:${port} ${pid}`).toSorted()).toEqual(ss.toSorted())
    expect(ss.length).toBeGreaterThanOrEqual(3)
  })

  it("answers .vm names, and no others, to the host", async () => {
    expect(await ok("dig @127.0.0.1 -p 42069 web.vm +short")).toBe("172.16.0.2")
    expect(await ok("dig @127.0.0.1 -p 42069 web.vm +tcp +short")).toBe("172.16.0.2")
    expect(await ok("dig @127.0.0.1 -p 42069 nobody.vm")).toContain("NXDOMAIN")
    expect(await ok("dig @127.0.0.1 -p 42069 world.example")).toContain("REFUSED")
  })

  it("resolves names in the guest through the host's upstream, and reaches the world by NAT", async () => {
    expect(await ok("banger vm exec web -- getent hosts world.example")).toContain("198.51.100.2")
    expect(await ok("banger vm exec web -- curl -s --max-time 30 http://world.example/index.html")).toBe("hello from the world")
  })

  it("loses its way out and gets it again while it runs", async () => {
    expect((await sh("banger vm set --memory 512 web")).status).toBe(4)
    await ok("banger vm set --no-nat web")
    expect((await sh("banger vm exec web -- curl -s --max-time 5 http://198.51.100.2/index.html")).status).toBe(28)
    // Nor is anybody else asked for it.
    expect((await sh("banger vm exec web -- getent hosts world.example")).status).toBe(2)
    expect(await leaks()).toEqual([])
    await ok("banger vm set --nat web")
    expect(await ok("banger vm exec web -- curl -s --max-time 30 http://198.51.100.2/index.html")).toBe("hello from the world")
  })

  it("is given another name while it runs, which is its only one at once, and its sessions go on", async () => {
    const before = await bootId("web")
    const session = sh("banger vm exec web -- sh -c 'echo begun >/dev/shm/begun; while ! test -e /dev/shm/end; do sleep 0.2; done; uname -n'")
    await eventually("banger vm exec web -- test -e /dev/shm/begun")
    const renamed = await sh("banger vm rename web shop")
    expect(renamed.stdout + renamed.stderr).toBe("web is shop from now on\n")
    expect(await ok("dig @127.0.0.1 -p 42069 shop.vm +short")).toBe("172.16.0.2")
    expect(await ok("dig @127.0.0.1 -p 42069 web.vm")).toContain("NXDOMAIN")
    expect((await sh("banger vm show web")).status).toBe(3)
    expect(await ok("banger vm exec shop -- sh -c 'uname -n; cat /etc/hostname; getent hosts shop | cut -d\" \" -f1; grep -c web /etc/hosts'; true")).toBe("shop\nshop\n127.0.1.1\n0")
    expect(await ok("banger vm exec shop -- getent hosts world.example")).toContain("198.51.100.2")
    expect(await ok("cut -d' ' -f1 /var/lib/banger/daemon/ssh/known_hosts")).toMatch(/^shop\.vm$/m)
    await ok("banger vm exec shop -- touch /dev/shm/end")
    expect(await session).toMatchObject({ status: 0, stdout: "shop\n" })
    // A daemon that comes back finds it by its name, and takes that one from it again.
    await ok("systemctl kill --signal=KILL bangerd", { root: true })
    await eventually("[ \"$(dig @127.0.0.1 -p 42069 shop.vm +short)\" = 172.16.0.2 ]")
    await eventually("banger vm rename shop web")
    expect(await ok("dig @127.0.0.1 -p 42069 shop.vm")).toContain("NXDOMAIN")
    expect(await bootId("web")).toBe(before)
    expect(await leaks()).toEqual([])
  })

  it("has no way out without NAT, but .vm names", async () => {
    expect((await outOfShut()).status).toBe(124)
    expect((await sh("banger vm exec shut -- getent hosts world.example")).status).toBe(2)
    expect(await ok("banger vm exec shut -- getent hosts web.vm")).toContain("172.16.0.2")
  })

  it("reaches neither other guests nor the host's own services, and cannot spoof", async () => {
    const reach = (address: string, port: number) => sh(`banger vm exec web -- timeout 4 bash -c 'echo > /dev/tcp/${address}/${port}'`)
    expect((await reach("172.16.0.3", 22)).status, "another guest").not.toBe(0)
    expect((await reach("172.16.0.1", 22)).status, "the host's sshd").not.toBe(0)
    expect((await reach("169.254.169.254", 80)).status, "cloud metadata").not.toBe(0)
    // Another guest's address as the source: the answer would go to that guest, so look whether it left at all.
    await ok(`tcpdump -i br-banger -w /tmp/spoof.pcap -U src host 172.16.0.9 2>/dev/null & sleep 1
      runuser -u owner -- banger vm exec web -- sh -c 'ip addr add 172.16.0.9/24 dev eth0; ping -c 2 -W 1 -I 172.16.0.9 172.16.0.1; ip addr del 172.16.0.9/24 dev eth0; true' >/dev/null
      kill %1; wait`, { root: true })
    expect(await ok("tcpdump -r /tmp/spoof.pcap 2>/dev/null | grep -vc ARP || true", { root: true })).toBe("0")
  })

  it("what it may not reach stays shut whatever other programs put first into the host's chains", async () => {
    await ok("iptables -I INPUT 1 -j ACCEPT && iptables -I FORWARD 1 -j ACCEPT && iptables -P FORWARD DROP", { root: true })
    try {
      expect((await sh("banger vm exec web -- timeout 4 bash -c 'echo > /dev/tcp/172.16.0.1/22'")).status, "the host's sshd").not.toBe(0)
      expect((await outOfShut()).status, "the world, without NAT").toBe(124)
      expect(await ok("banger vm exec web -- curl -s --max-time 30 http://198.51.100.2/index.html")).toBe("hello from the world")
    } finally {
      await ok("iptables -D INPUT -j ACCEPT && iptables -D FORWARD -j ACCEPT && iptables -P FORWARD ACCEPT", { root: true })
    }
  })

  it.runIf(ALL)("a flushed rule set is seen by doctor, and laid again for the VMs that run", async () => {
    await ok("nft flush ruleset", { root: true })
    const flushed = await sh("banger doctor")
    expect(flushed.stdout).toMatch(/FAIL +nat: the nft table ip banger is missing/)
    await ok("systemctl restart bangerd-root bangerd", { root: true })
    await eventually("banger doctor | grep -q '^ok  *nat'")
    await eventually("banger vm exec web -- curl -s --max-time 10 http://198.51.100.2/index.html")
    expect((await outOfShut()).status).toBe(124)
  })

  it("loads modules of its kernel", async () => {
    expect(await ok("banger vm exec web -- sh -c 'modprobe overlay && grep -c ^overlay /proc/modules'")).toBe("1")
  })

  it("takes files and gives them back, and what a guest sends lands in its place alone", async () => {
    await ok("rm -rf copy && mkdir -p copy/sub && head -c 3000000 /dev/urandom >copy/sub/data && chmod 750 copy/sub && ln -s /etc/shadow copy/link")
    expect(await ok("banger cp copy web:")).toBe("2 files, 2.9 MiB")
    expect(await ok("banger vm cp web:copy back && diff -r --no-dereference copy back && stat -c %a back/sub && readlink back/link")).toBe("2 files, 2.9 MiB\n750\n/etc/shadow")
    await ok("banger vm exec web -- sh -c 'mkdir -p /srv/evil; echo root::0:0::/:/bin/sh >/srv/evil/link; chmod 4755 /srv/evil/link'")
    expect(await ok("mkdir -p evil && ln -sf ../kept evil/link && echo kept >kept && banger vm cp --json web:/srv/evil . | jq -c . && cat kept && stat -c '%F %a' evil/link")).toBe('{"files":1,"bytes":21}\nkept\nregular file 755')
    expect(await ok("banger vm cp web:/srv/evil - | tar -t")).toBe("evil/\nevil/link")
    expect((await sh("banger vm cp web:/srv/none .")).stderr).toMatch(/^banger: web:\/srv\/none: .*no such file/)
  })

  it("gives its disk no name on the host: what a guest writes there is read by nobody but itself", async () => {
    const device = `/dev/mapper/banger-${(await show("web")).vm.id}`
    await ok("banger vm exec web -- sh -c 'e2label /dev/vda hijacked && sync'")
    // A process that had the device open for writing closes it: udev's watch would look into it now.
    await ok(`: 3<>${device}; udevadm settle`, { root: true })
    expect(await ok("ls /dev/disk/by-label", { root: true })).not.toMatch(/hijacked|banger/)
    const known = await ok(`udevadm info ${device}; for loop in $(losetup -nO NAME); do udevadm info $loop; done`, { root: true })
    expect(known).toMatch(/DM_NAME=banger-/)
    expect(known).not.toMatch(/ID_FS_|disk\/by-/)
  })

  it("says that its image has no sshd", async () => {
    expect((await sh("banger vm ssh shut -- true")).stderr).toMatch(/shut has no sshd/)
  })

  it("has the host's time within seconds of the host's clock being set", async () => {
    const apart = "h=$(date +%s); g=$(banger vm exec web -- date +%s); d=$((g - h)); [ ${d#-} -le 20 ]"
    const uptime = "jq -e '.vm.uptimeMs < 3600000 and .vm.uptimeMs > 0' <<<\"$(banger vm show web --json)\""
    for (const step of ["+2 hours", "-2 hours"]) {
      await ok(`date -s '${step}'`, { root: true })
      await ok(`for i in $(seq 30); do ${apart} && ${uptime} && exit; sleep 1; done; echo "$d seconds apart"; exit 1`)
    }
  })

  it.runIf(ALL)("guests keep their names over a restart of the daemon, and start a stopped one", async () => {
    const { answered, lost, lookedUp } = await lookUps("web", 1000, 5)
    process.stderr.write(`name look-ups of a guest over restarts of the daemon: ${lookedUp}, lost: ${lookedUp - answered}; queries on the wire without an answer: ${lost}\n`)
    expect(answered).toBe(lookedUp)
    await ok("banger daemon stop")
    expect(await ok("banger vm exec web -- getent ahostsv4 stopped.world.example").catch(String)).toContain("198.51.100.2")
    expect(await ok("ss -lunpH sport = :42053; ss -ltnpH sport = :42069", { root: true })).toMatch(/systemd.*\n.*systemd/)
  }, 2_400_000)

  it.runIf(ALL)("asks the next name server when one refuses, and follows resolv.conf to where it leads", async () => {
    const resolves = (name: string) => `banger vm exec web -- getent ahostsv4 ${name}.world.example | grep -q 198.51.100.2`
    await ok(`systemd-run -q --unit=refuser dnsmasq --keep-in-foreground --no-resolv --no-hosts --listen-address=127.0.0.10 --bind-interfaces --pid-file
      timeout 60 sh -c 'until dig +tries=1 +time=1 @127.0.0.10 x | grep -q REFUSED; do :; done'
      mkdir -p /run/elsewhere && printf 'nameserver 127.0.0.10\\nnameserver 127.0.0.2\\n' > /run/elsewhere/resolv.conf && ln -sfn /run/elsewhere/resolv.conf /etc/resolv.conf`, { root: true })
    await eventually(resolves("refused"))
    await ok("echo nameserver 127.0.0.10 > /run/elsewhere/new && mv /run/elsewhere/new /run/elsewhere/resolv.conf", { root: true })
    await eventually(`! ${resolves("gone")}`)
    await ok("echo nameserver 127.0.0.2 > /run/elsewhere/new && mv /run/elsewhere/new /run/elsewhere/resolv.conf", { root: true })
    await eventually(resolves("back"))
  })

  it.runIf(ALL)("root and the owner reach it from the host, other users do not", async () => {
    const connect = "timeout 10 bash -c ': < /dev/tcp/172.16.0.2/3100'"
    await ok("banger vm exec web -- sh <<'END'\nperl -MIO::Socket::INET -e 'my $held = IO::Socket::INET->new(LocalPort => 3100, Listen => 5) or die; sleep 600' </dev/null >/dev/null 2>&1 &\nEND")
    await eventually(connect)
    await ok(connect, { root: true })
    expect((await sh(`runuser -u nobody -- ${connect}`, { root: true })).status).toBe(124)
    await ok("printf '[network]\\nhost_users = true\\n' > /etc/banger/host.toml && banger system restart", { root: true })
    await eventually(`runuser -u nobody -- ${connect}`, { root: true })
    await ok("rm /etc/banger/host.toml && banger system restart", { root: true })
    await eventually(`! runuser -u nobody -- ${connect}`, { root: true })
  })

  it.runIf(ALL)("speaks through an uplink that takes less than 1500 bytes", async () => {
    await ok(`ip link set to-world mtu 1300 && ip -n world link set eth0 mtu 1300
      systemd-run -q --unit=sink ip netns exec world python3 -c 'import socket
s = socket.create_server(("", 99)); c = s.accept()[0]; n = 0
while (d := c.recv(65536)): n += len(d)
open("/run/sunk", "w").write(str(n))'
      systemd-run -q --unit=syns tcpdump -i to-world -w /run/syns.pcap -U 'tcp[tcpflags] & tcp-syn != 0'`, { root: true })
    try {
      await eventually("ip netns exec world ss -ltnH sport = :99 | grep -q . && test -s /run/syns.pcap", { root: true })
      await ok("banger vm exec web -- timeout 100 bash -c 'head -c 300000 /dev/zero > /dev/tcp/198.51.100.2/99'")
      await eventually("test \"$(cat /run/sunk)\" = 300000", { root: true })
      // Neither end would send more than fits, were what says so lost on the way.
      await eventually("test \"$(tcpdump -nr /run/syns.pcap 2>/dev/null | grep -o 'mss [0-9]*' | sort -u)\" = 'mss 1260'", { root: true })
      expect((await sh("banger vm exec web -- ping -M do -c 2 -W 5 -s 1400 198.51.100.2")).stdout).toMatch(/mtu ?= ?1300/)
    } finally {
      await ok("systemctl stop sink syns; ip link set to-world mtu 1500; ip -n world link set eth0 mtu 1500", { root: true })
    }
  })

  it.runIf(ALL)("its links are left alone by networkd, and doctor sees when something took them", async () => {
    await ok("printf '[Match]\\nName=*\\n[Network]\\nDHCP=yes\\n' > /etc/systemd/network/99-all.network && networkctl reload", { root: true })
    expect(await ok("networkctl --no-legend list br-banger bng2 to-world | awk '{ print $2, $5 }'")).toMatch(/br-banger unmanaged\nbng2 unmanaged|bng2 unmanaged\nbr-banger unmanaged/)
    await ok("rm /etc/systemd/network/99-all.network && networkctl reload", { root: true })
    await ok("ip address flush dev br-banger && ip address add 192.0.2.9/24 dev br-banger && ip link set bng2 nomaster", { root: true })
    expect((await sh("banger doctor")).stdout).toMatch(/FAIL +tap-pool bridge: .*does not have its address 172\.16\.0\.1\/24/)
    await ok("banger system restart", { root: true })
    await eventually("banger doctor | grep -q '^ok  *tap-pool bridge'")
    expect(await ok("ip -br -4 address show br-banger")).not.toContain("192.0.2.9")
    await eventually("banger vm exec web -- ping -c 1 -W 5 172.16.0.1")
  })

  it.runIf(ALL)("a network that appears over its own is said, and VMs that run are left alone", async () => {
    await ok("ip link add lan0 type veth peer name lan1 && ip link set lan1 up && ip address add 172.16.0.50/24 dev lan0 && ip link set lan0 up", { root: true })
    try {
      const { status, stdout } = await sh("banger doctor")
      expect(status).toBe(1)
      expect(stdout).toMatch(/FAIL +tap-pool bridge: 172\.16\.0\.0\/24, .* is in use: lan0 has 172\.16\.0\.50\/24\n.*cidr = "10\.213\.77\.0\/24"/)
      await ok("banger system restart", { root: true })
      await eventually("banger vm exec web -- ping -c 1 -W 5 172.16.0.1")
    } finally {
      await ok("ip link del lan0", { root: true })
    }
  })

  it.runIf(ALL)("links that have only the names of its TAPs stop nothing", async () => {
    await ok("ip link del bng5; for n in 0 1 70000 5; do ip link add bng$n type dummy; done", { root: true })
    await ok("for n in 4 6 7; do ip link del bng$n 2>/dev/null || true; done; systemctl restart bangerd", { root: true })
    await eventually("ip link show bng4 && ip link show bng6")
    expect((await sh("banger doctor")).stdout).toMatch(/warn +tap-pool bridge: .*bng0.*bng70000/)
    await ok("for n in 0 1 70000 5; do ip link del bng$n; done", { root: true })
    expect(await ok("journalctl -u bangerd -o cat | grep -c 'passed over as not banger'", { root: true })).toBe("1")
  })

  it("shows its console and what the daemon did", async () => {
    expect(await ok("banger vm logs web --daemon --since 1d")).toMatch(/running/)
    expect(await ok("banger vm logs web --daemon --since 1ms")).toBe("")
    await ok("(banger logs --follow web >followed & following=$!; banger vm exec web -- sh -c 'echo spoken >/dev/console'; until grep -q spoken followed; do sleep 0.2; done; kill $following)", { limit: 60 })
    expect(await ok("banger vm logs web --tail 1")).toMatch(/spoken/)
    expect((await sh("banger vm logs web --firecracker")).status).toBe(0)
  })

  it("runs on, and stays usable, while daemon and helper are killed in turn", async () => {
    const vms = ["web", "shut"]
    const [boots, pids] = [await Promise.all(vms.map(bootId)), await firecrackers()]
    for (const service of ["bangerd", "bangerd-root"]) {
      await ok(`systemctl kill --signal=KILL ${service}`, { root: true })
      await eventually("banger vm list --json | jq -e 'map(select(.state == \"running\" and .reason == \"\")) | length == 2'")
    }
    expect(await Promise.all(vms.map(bootId))).toEqual(boots)
    expect(await firecrackers()).toBe(pids)
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("restarts with another boot id", async () => {
    const before = await bootId("shut")
    await ok("banger vm restart --all --verbose --timeout 180s")
    expect(await bootId("shut")).not.toBe(before)
  })

  it("refuses what does not fit its state", async () => {
    expect((await sh("banger vm start shut")).status).toBe(4)
    expect((await sh("banger vm delete shut --yes")).status).toBe(4)
  })

  it.runIf(ALL)("is crashed when it is killed, stopped when the guest ends itself", async () => {
    await ok("banger vm exec shut -- sh -c 'echo root > /root/kept; sync' && banger vm kill --signal KILL shut && banger vm wait shut --for stopped --timeout 2m")
    expect((await show("shut")).vm.reason).toBe("signal 9 (SIGKILL)")
    expect(await finished("banger vm start --json shut")).toMatchObject({ _tag: "Finished", vm: { state: "running" } })
    expect(await ok("banger vm exec shut -- cat /root/kept")).toBe("root")
    await sh("banger vm exec shut -- sh -c 'echo b > /proc/sysrq-trigger'")
    await eventually(inState("shut", "stopped"))
    expect((await show("shut")).vm.state).toBe("stopped")
  })

  it.runIf(ALL)("writes more to its disks than its unit may hold of them, and is not killed for it", async () => {
    await ok("banger vm start shut")
    const { vm: { id } } = await show("shut")
    await ok("banger vm exec shut -- sh -c 'for f in /var/big:90 /root/big:600; do dd if=/dev/urandom of=${f%:*} bs=1M count=${f#*:} conv=fsync; sha256sum ${f%:*} >>/root/sums; done 2>/dev/null; sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum --quiet -c /root/sums && rm /var/big /root/big'", { limit: 1200 })
    // It did meet its limit: page cache was given back.
    expect(await ok(`sed -n 's/^max //p; s/^oom //p; s/^oom_kill //p' /sys/fs/cgroup/banger.slice/banger-vm@${id}.service/memory.events`)).toMatch(/^[1-9]\d*\n0\n0$/)
  }, 1_300_000)

  it.runIf(ALL)("is crashed, and says why, when Firecracker goes over its unit's memory limit", async () => {
    const { vm: { id } } = await show("shut")
    await ok(`cd /sys/fs/cgroup/banger.slice/banger-vm@${id}.service && echo 0 >memory.swap.max && echo 32M >memory.max`, { root: true })
    await eventually(inState("shut", "crashed"))
    expect((await show("shut")).vm.reason).toBe("signal 9 (SIGKILL): Firecracker went over the memory limit of its unit")
    expect(await leaks()).toEqual([])
    await ok("banger vm start shut")
    expect(await limitsOf(id)).toEqual([584, 256])
  })

  it("keeps files in / and /root over stop and start", async () => {
    await ok("banger vm exec web -- sh -c 'echo root > /root/kept; echo slash > /etc/kept'")
    const stopped = await sh("banger stop --verbose --timeout 180s web")
    expect(stopped.status, stopped.stderr).toBe(0)
    expect(stopped.stdout + stopped.stderr).toMatch(/in order/)
    expect((await show("web")).vm.state).toBe("stopped")
    expect(await ok("dig @127.0.0.1 -p 42069 web.vm")).toContain("NXDOMAIN")
    expect((await sh("banger vm set --disk-size 1G web")).stderr).toContain("disks only grow")
    expect(await ok("banger vm set --all --verbose --memory 384 --vcpu 1 --disk-size 9G")).toMatch(/^web has 1 vCPU, 384 MiB of memory, a disk of 9216 MiB, NAT$/m)
    expect(await finished("banger vm set --json --autostart web")).toMatchObject({ vm: { autostart: true, memoryMib: 384 } })
    expect((await sh("banger vm rename web shut")).stderr).toContain("a VM named shut exists")
    expect(await ok("banger vm rename --verbose web other")).toBe("web is other from now on")
    expect(await finished("banger vm rename --json other site")).toMatchObject({ vm: { name: "site" } })
    await ok("banger start --all --verbose")
    expect(await ok("banger vm exec site -- cat /etc/hostname /root/kept /etc/kept")).toBe("site\nroot\nslash")
    expect(await limitsOf((await show("site")).vm.id)).toEqual([384 + 12 + 64 + 256, 384])
    expect(Number(await ok("banger vm exec site -- sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo"))).toBeGreaterThan(300 << 10)
    expect(Number(await ok("banger vm exec site -- stat -f -c '%b %S' /root | awk '{print $1 * $2 / 2^30}'"))).toBeGreaterThan(8.5)
  })

  it("is shown on a screen, whose keys do as the commands do", async () => {
    const keys = [["2 running", "/shut\\r"], ["filter: shut", "x"], ["shut is stopped", "q"]]
    expect(await ok("python3 -", { input: onTerminal("banger tui", keys), limit: 120 })).toMatch(/status 0 left the alternate screen$/)
    expect((await show("shut")).vm.state).toBe("stopped")
  })

  it("leaves nothing once it is deleted", async () => {
    const { vm } = await show("site")
    const result = await sh("banger vm delete --yes --force --json shut | tail -n 1 | jq -e '._tag == \"Finished\"' && banger rm --yes --force --verbose site")
    expect(result.status, result.stderr).toBe(0)
    expect(await leaks()).toEqual([])
    // udev follows the kernel by events. Of a link it once made it keeps an empty directory with a lock in it: no link must be left.
    const everything = await ok(`udevadm settle; dmsetup ls; losetup -a; ip link; iptables-save; nft list ruleset; systemctl list-units --all 'banger-vm*'
      find /run /var/lib/banger -path /run/udev/links -prune -o -name '*${vm.id}*' -print
      find /dev -name '*${vm.id}*'; find /run/udev/links -path '*${vm.id}*' -type l`, { root: true })
    expect(everything).not.toContain(vm.id)
    expect(everything).not.toMatch(/bng2:.*LOWER_UP/)
  })
})
