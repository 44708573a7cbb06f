/** A guest that looks up names while the daemon comes and goes. */
import { eventually, ok } from "./host.ts"

/**
 * A guest looks up so many names, each another one, while the daemon is restarted so often. What the guest's programs see is what
 * counts; how many queries on the wire had no answer, so that libc asked again, is told beside it.
 */
export const lookUps = async (vm: string, many: number, restarts: number) => {
  await ok("systemd-run -q --unit=queries tcpdump -i br-banger -w /run/queries.pcap -U port 53", { root: true })
  await eventually("test -s /run/queries.pcap", { root: true })
  const asking = ok(`banger vm exec ${vm} -- sh -c 'seq ${many} | xargs -P 4 -I N sh -c "getent ahostsv4 nN.world.example >/dev/null && echo yes || echo no N"'`, { limit: 1200 })
  for (let i = 1; i <= restarts; i++) {
    // When a part of them is done, however fast this host is.
    await eventually(`test $(tcpdump -nr /run/queries.pcap 2>/dev/null | grep -c 'A? n') -ge ${Math.floor(many * i / (restarts + 2))}`, { root: true })
    await ok("systemctl restart bangerd", { root: true })
  }
  const said = (await asking).split("\n")
  await ok("systemctl stop queries", { root: true })
  const lost = await ok(`tcpdump -nr /run/queries.pcap 2>/dev/null | awk '/ A\\? / { asked[$3 " " $6 + 0]++ } / > / && / A 198/ { sub(":", "", $5); answered[$5 " " $6 + 0]++ } END { for (q in asked) if (!(q in answered)) n++; print n + 0 }'`, { root: true })
  return { lookedUp: many, answered: said.filter((line) => line === "yes").length, lost: Number(lost) }
}
