/** The guides, as somebody types them who follows them: block by block, with the repository and the VM that they begin with. */
import { beforeAll, describe, expect, it } from "vitest"
import { GUIDES, missing, page, stepOf } from "../pages.ts"
import { ALL, leaks, ok, reset, sh, world, WORLD } from "../host.ts"

/** Answers on port 3000. Perl, as every Debian has it. */
const SERVER = `use IO::Socket::INET; my $server = IO::Socket::INET->new(LocalPort => 3000, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) { while (<$client>) { last if $_ eq "\\r\\n" } print $client "HTTP/1.0 200 OK\\r\\n\\r\\nfrom the guest\\n"; close $client }
`
const MAKEFILE = `test:
	@test -f script.sh && echo ok
dist:
	@mkdir -p dist && cp script.sh dist/app
serve:
	@perl serve.pl
`

beforeAll(async () => {
  await reset()
  await world()
  // What the guides have beyond the host is example.com.
  await ok(`systemd-run -q --unit=upstream dnsmasq --keep-in-foreground --no-resolv --no-hosts --listen-address=127.0.0.2 --bind-interfaces --address=/example.com/${WORLD}
    mkdir -p /etc/systemd/resolved.conf.d && printf '[Resolve]\\nDNS=127.0.0.2\\n' >/etc/systemd/resolved.conf.d/upstream.conf && systemctl restart systemd-resolved`, { root: true })
  await ok(`git config --global user.name owner; git config --global user.email owner@hostvm
    for name in repo lib; do git init -q -b main $name; echo first >$name/notes; done
    mkdir site && echo page >site/index.html
    cat >repo/Makefile && printf '#!/bin/sh\\necho done\\n' >repo/script.sh && chmod 755 repo/script.sh`, { input: MAKEFILE })
  await ok("cat >repo/serve.pl; for name in repo lib; do (cd $name && git add . && git commit -qm first); done", { input: SERVER })
})

for (const guide of GUIDES) {
  describe(guide, () => {
    for (const [heading, blocks] of Map.groupBy(page(guide).blocks, ({ heading }) => heading)) {
      const steps = blocks.flatMap((block) => {
        const step = stepOf(block)
        return step === undefined || step.long && !ALL ? [] : [{ at: block.at, ...step }]
      })
      it.runIf(steps.length > 0)(heading, async () => {
        for (const { at, script, shown } of steps) {
          const { status, stderr, stdout } = await sh(shown === undefined ? `set -e -o pipefail\n${script}` : `exec 2>&1\n${script}`)
          const output = `${at}\n${script}\n${stdout}\n${stderr}`
          if (shown === undefined) expect(status, output).toBe(0)
          else expect(missing(shown, stdout), output).toEqual([])
        }
      })
    }
  })
}

it("leaves nothing behind", async () => {
  await ok("banger vm delete --all --force")
  expect(await leaks()).toEqual([])
})
