/** `vm run` on repositories as people have them: git says in the guest what it says on the host. Takes minutes. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, hostvm, ok, reset, sh } from "../host.ts"

const SAID = "git status --porcelain -uno; git describe --tags --always --dirty; git submodule status --recursive; git rev-list --count HEAD"
/** Seconds: 50,000 files are written, and looked at by git, in an emulated guest. */
const LIMIT = { limit: 3600 }

/** Repositories of the host, by name. Their own filters are programs that the guest has not. */
const MAKE = `set -e
  git config --global user.name owner; git config --global user.email owner@hostvm; git config --global init.defaultBranch main; git config --global protocol.file.allow always; git config --global gc.auto 0
  mkdir -p bin; printf '#!/bin/sh\nexec sed s/.*/pointer/\n' > bin/pointer; chmod 755 bin/pointer
  git config --global filter.large.clean $HOME/bin/pointer; git config --global filter.large.required true
  new() { git init -q $1; cd $1; }
  (new tags; for i in $(seq 200); do echo $i > f$((i % 20)); git add -A; git commit -qm $i; [ $((i % 10)) != 5 ] || git tag -a -m x v$i; done)
  (new filters; echo '*.bin filter=large' > .gitattributes; for i in $(seq 50); do echo content > $i.bin; done; echo k > local; git add -A; git commit -qm 1; git tag v1
    git update-index --assume-unchanged local; echo mine > local; mkdir -p .git/info; echo '*.md text eol=crlf' > .git/info/attributes; printf 'a\\r\\nb\\r\\n' > r.md; git add r.md; git commit -qm 2; echo changed > 1.bin; echo s > staged; git add staged)
  (new inner; echo 1 > f; git add f; git commit -qm 1; git tag -a -m x i1)
  (new outer; git submodule -q add $HOME/inner mods/inner; git commit -qm o; git tag o1)
  (new up; git config uploadpack.allowFilter true; mkdir a b; seq 999 > a/x; seq 500 > b/y; echo t > top; git add -A; git commit -qm 1; git tag -a -m x p1)
  git clone -q --filter=blob:none --sparse file://$HOME/up partial; git -C partial sparse-checkout set a
  git clone -q own.bundle own
  (new many; for d in $(seq 500); do mkdir $d; for f in $(seq 100); do echo $d $f > $d/$f; done; done; git add -A; git commit -qm many; git tag m1; git gc -q)`

/** Writes one archive to the agent, as the files are sent: what vm run is measured against. */
const RAW = `import http.client, socket, subprocess, sys, time
class Guest(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
        self.sock.sendall(b"CONNECT 1024\\n"); line = b""
        while not line.endswith(b"\\n"): line += self.sock.recv(1)
began = time.time()
tar = subprocess.Popen(["tar", "-c", "-C", sys.argv[2], "--exclude=.git", "."], stdout=subprocess.PIPE)
guest = Guest("guest"); guest.request("PUT", "/v1/files?path=/root/raw", iter(lambda: tar.stdout.read(1 << 16), b""), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
answer = guest.getresponse(); assert answer.status == 200, answer.read()
answer.read(); print(time.time() - began)`

describe.runIf(ALL)("vm run", () => {
  beforeAll(async () => {
    await reset()
    const directory = fs.mkdtempSync(`${tmpdir()}/banger-own-`)
    execFileSync("git", ["bundle", "create", "--quiet", `${directory}/own.bundle`, "HEAD", "--tags"])
    await hostvm("copy", `${directory}/own.bundle`, "vm:own.bundle")
    fs.rmSync(directory, { recursive: true })
    await ok(MAKE, LIMIT)
    await ok("cat > raw.py", { input: RAW })
  })

  for (const name of ["own", "tags", "filters", "outer", "partial", "many"]) {
    it(`tells the truth about ${name}, and how long it took`, async () => {
      const began = Date.now()
      const { status, stderr, stdout } = await sh(`banger vm run --name ${name} --memory 512 ./${name} -- sh -c '${SAID}'`, LIMIT)
      const total = (Date.now() - began) / 1000
      expect(status, stderr).toBe(0)
      expect(stdout.trim()).toBe(await ok(`cd ${name}; ${SAID}`))
      const [, amount = "", unit = ""] = /files? sent, .*?([\d.]+) (ms|s)/.exec(stderr) ?? []
      const sent = Number(amount) / (unit === "ms" ? 1000 : 1)
      await ok(`banger vm delete --yes --force ${name}`)
      // A guest's services still start when its agent answers, and vm run sends just then: so is the other written to.
      await ok(`banger vm create --name ${name} --memory 512`)
      const raw = Number(await ok(`python3 raw.py $(banger vm show ${name} --json | jq -r .vm.vsock) ${name}`, LIMIT))
      const clone = await ok(`s=$(date +%s.%N); git clone -q --depth=1 file://$HOME/${name} clone-${name}; e=$(date +%s.%N); rm -rf clone-${name}; python3 -c "print($e - $s)"`, LIMIT)
      const plan = await ok(`s=$(date +%s.%N); banger vm run --dry-run ./${name} | tail -1; e=$(date +%s.%N); python3 -c "print($e - $s)"`, LIMIT)
      process.stdout.write(`${name}: sent in ${sent} s, tar of the files through the vsock of a VM that just booted ${raw.toFixed(2)} s, ratio ${(sent / raw).toFixed(2)}; all ${total.toFixed(1)} s; git clone --depth=1 ${clone} s; plan ${plan.replace("\n", "; ")} s\n`)
      process.stdout.write(stderr)
      await ok(`banger vm delete --yes --force ${name}`)
    }, 7_200_000)
  }
})
