/** The main job: `banger vm run` on a real repository (spec 1). */
import { createHash, randomBytes } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, leaks, ok, reset, sh } from "../host.ts"

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex")

beforeAll(async () => {
  await reset()
  await ok(`git config --global user.name owner; git config --global user.email owner@hostvm; git config --global protocol.file.allow always
    git init -q -b main inner && (cd inner; echo inner > inner.txt; git add .; git commit -qm inner)
    git config --global filter.large.clean 'sed s/.*/pointer/'; git config --global filter.large.required true
    git init -q -b main small && (cd small; mkdir sub; echo kept > sub/file; git add .; git commit -qm first; git tag v1; echo changed > sub/file; git commit -qam second)
    mkdir repo && cd repo && git init -q -b main
    echo '*.bin filter=large' > .gitattributes; echo content > big.bin; git submodule -q add $HOME/inner lib
    printf 'test:\\n\\t@echo ran in $$(pwd)\\nseven:\\n\\t@exit 7\\nfail:\\n\\t@sh -c "kill -9 $$$$PPID"\\n' > Makefile
    echo kept > kept.txt; echo gone > gone.txt; ln -s kept.txt link; echo '#!/bin/sh' > tool; chmod 755 tool
    git add . && git commit -qm first && git tag -a -m one v1 && git commit -q --allow-empty -m second
    echo changed >> kept.txt; rm gone.txt; echo untracked > untracked.txt`)
})

describe("vm run", () => {
  it("sends the repository, runs the command in it, and exits with its status: 0", async () => {
    const { status, stderr, stdout } = await sh("banger run --name work --memory 256 --disk-size 9G --nat --no-autostart --verbose ./repo -- make test")
    expect(stdout).toBe("ran in /root/repo\n")
    expect(status, stderr).toBe(0)
    expect(stderr).toContain("spec: 1 vCPU, 256 MiB, disk 9 GiB, image debian-bookworm, kernel debian-6.1")
    expect(stderr).toMatch(/work runs on/)
  })

  it("git status in the guest is true", async () => {
    const said = "git status --porcelain -uno; git describe --tags --dirty; git submodule status; git -C lib rev-parse HEAD; git log --format=%s; readlink link; stat -c %a tool"
    const inGuest = await ok(`banger vm exec work --cwd /root/repo -- sh -c 'git status --porcelain; echo; ${said}; git submodule update --init --recursive'`)
    expect(inGuest).toBe(` D gone.txt\n M kept.txt\n\n${await ok(`cd repo; ${said}`)}`)
    expect(await ok("banger vm exec work -- git config --get-regexp '^user'")).toBe("user.name owner\nuser.email owner@hostvm")
  })

  it("what changed there is shown, and comes back as a branch", async () => {
    await ok("banger vm exec work --cwd /root/repo -- sh -c 'git config user.name g; git config user.email g@g; echo more >> kept.txt; git commit -qm kept kept.txt; echo new > new.txt'")
    expect(await ok("banger vm diff work --stat | sed 's/ *|.*//'")).toBe(" kept.txt\n new.txt\n 2 files changed, 2 insertions(+)")
    const before = await ok("cd repo; git status --porcelain; git for-each-ref")
    expect(await ok("cd repo; banger vm pull --worktree work; git log --format=%s -2 banger/work; git diff --name-status main...banger/work")).toBe(
      "2 commits in the branch banger/work: git log ..banger/work shows them, git merge banger/work takes them over\nUncommitted work in work\nkept\nD\tgone.txt\nM\tkept.txt\nA\tnew.txt")
    expect(JSON.parse(await ok("banger vm pull --branch kept --max-size 10M --json work repo"))).toMatchObject({ branch: "kept", commits: 1 })
    expect(await ok("cd repo; git branch -qD kept banger/work; git status --porcelain; git for-each-ref")).toBe(before)
  })

  it("exits with the command's status 7, and 128+n for a signal", async () => {
    const ends = await ok("ends() { banger vm exec work -- \"$@\" 2>/dev/null; echo $?; }; ends sh -c 'exit 7'; ends sh -c 'kill -9 $$'; ends /nonexistent; ends /etc/passwd")
    expect(ends.split("\n")).toEqual(["7", "137", "127", "126"])
  })

  it("passes 10 MiB of binary data through, byte for byte, in both directions", async () => {
    const data = randomBytes(10 << 20)
    const { bytes, status, stderr } = await sh("banger vm exec work -- cat", { input: data })
    expect(status, stderr).toBe(0)
    expect(bytes.length).toBe(data.length)
    expect(digest(bytes)).toBe(digest(data))
  })

  it("keeps stdout and stderr apart, and takes environment, directory, user and a deadline", async () => {
    const { stderr, stdout } = await sh("banger vm exec work -e COLOUR=blue --cwd /tmp -- sh -c 'echo out $COLOUR $(pwd); echo err >&2'")
    expect(stdout).toBe("out blue /tmp\n")
    expect(stderr).toBe("err\n")
    expect(await ok("banger vm exec work --user nobody -- id -un")).toBe("nobody")
    expect(await ok("banger exec -t work -- sh -c 'test -t 0 && test -t 1 && tty'")).toMatch(/^\/dev\/pts\/\d+\r?$/)
    expect((await sh("banger exec -T work -- tty")).stdout).toBe("not a tty\n")
    expect((await sh("banger vm exec work --timeout 2s -- sleep 600")).status).toBe(124)
  })

  it("--rm leaves nothing, also when the command fails; its stdin is piped through", async () => {
    await ok(`mkdir -p plain/empty .config/banger && echo as it is >plain/file && chmod 750 plain
      printf '[[file_sync]]\nhost = "~/plain/file"\nguest = "~/.synced/one"\n' >.config/banger/config.toml`)
    const { status, stderr, stdout } = await sh("tar c -C repo kept.txt | banger vm run --rm --copy ./plain --with ./repo:beside --with ./plain/empty --image plain --memory 256 -- sh -c 'tar xO; pwd; cat file; ls ../beside/untracked.txt; stat -c %a . ../empty; stat -c %a ../.synced/one; exit 3'")
    await ok("rm .config/banger/config.toml")
    expect(status, stderr).toBe(3)
    expect(stdout).toBe("kept\nchanged\n/root/plain\nas it is\n../beside/untracked.txt\n750\n755\n600\n")
    expect(stderr).toMatch(/1 file for \/root\/plain sent, 9 B/)
    expect(JSON.parse(await ok("banger vm list --all --json")).map(({ name }: { name: string }) => name)).toEqual(["work"])
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("--rm goes also with a CLI that is killed", async () => {
    await ok(`mkfifo up; banger vm run --rm --image plain --memory 256 --name doomed -- sh -c 'echo up; exec sleep 600' >up 2>/dev/null &
      cli=$!; read -r line <up; kill -9 $cli`)
    await eventually("! grep -qs doomed /var/lib/banger/daemon/vms/*/vm.json")
    expect((await sh("banger vm show doomed")).status).toBe(3)
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("begins with a branch in a VM as the flags say, in a directory, without standard input, over ssh too", async () => {
    const { status, stderr, stdout } = await sh("banger vm run --name flags --vcpu 2 --memory 256 --no-nat --autostart --branch fix --from v1 --history shallow --workdir sub -n -T ./small -- sh -c 'git branch --show-current; git rev-list --count HEAD; pwd; cat file; nproc; wc -c'", { input: "not read" })
    expect([status, stdout], stderr).toEqual([0, "fix\n1\n/root/small/sub\nkept\n2\n0\n"])
    expect(JSON.parse(await ok("banger vm show flags --json")).vm).toMatchObject({ vcpu: 2, nat: false, autostart: true })
    await ok("banger rm --force flags")
    expect(await sh("banger vm run --rm --memory 256 --ssh -t ./inner -- sh -c 'tty; pwd; exit 7'")).toMatchObject({ status: 7, stdout: expect.stringMatching(/^\/dev\/pts\/\d+\r?\n\/root\/inner/) })
  })

  it("--dry-run lists exactly what would be sent, and creates nothing", async () => {
    const plan = JSON.parse(await ok("banger vm run --dry-run --json ./repo"))
    expect(plan[0].files.map(({ path }: { path: string }) => path).toSorted()).toEqual([".gitattributes", ".gitmodules", "Makefile", "big.bin", "kept.txt", "lib", "lib/inner.txt", "link", "tool"])
    const all = JSON.parse(await ok("banger vm run --dry-run --include-untracked --json ./repo"))
    expect(all[0].files.map(({ path }: { path: string }) => path)).toContain("untracked.txt")
  })

  it("refuses a directory that is no work tree, with the way out", async () => {
    const { status, stderr } = await sh("mkdir -p plain && banger vm run ./plain -- true")
    expect(status).toBe(125)
    expect(stderr).toMatch(/git init/)
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(3)
  })

  it("takes repositories and directories while it runs, in places that are free", async () => {
    const there = await sh("touch inner/stray; banger vm workspace prepare work ./repo")
    expect(there.status).toBe(1)
    expect(there.stderr).toMatch(/work has \/root\/repo already/)
    expect(await ok("banger vm workspace prepare work ./inner --with ./plain:beside --include-untracked --verbose && banger vm exec work -- sh -c 'cat beside/file; cd inner; git status --porcelain; cat inner.txt'")).toBe("/root/inner\nas it is\n?? stray\ninner")
    expect(await ok("banger vm workspace prepare work ./small --branch fix --from v1 --history shallow && banger vm exec work --cwd /root/small -- sh -c 'git branch --show-current; git rev-list --count HEAD; cat sub/file'")).toBe("/root/small\nfix\n1\nkept")
  })

  it("refuses a name that exists, bad names and bad sizes, and loses nothing", async () => {
    const taken = await sh("banger vm create --name work")
    expect(taken.status).toBe(4)
    expect(taken.stderr).toMatch(/banger vm exec work/)
    expect((await sh("banger vm create --name Not_A_Name")).status).toBe(2)
    expect((await sh("banger vm create --disk-size 12parsecs")).status).toBe(2)
    expect((await sh("banger vm create --vcpu 3")).status).toBe(2)
    expect((await sh("banger vm create --image nothing")).status).toBe(3)
    expect((await sh("banger vm show nobody")).status).toBe(3)
  })

  // Late: systemd in it is busy for a minute or two after its start, when emulated.
  it("takes ssh with a pinned host key, no questions asked", async () => {
    // The user's configuration is about other hosts.
    await ok("mkdir -p ~/.ssh && printf 'Host *\\n ProxyJump bastion.example\\n Port 2222\\n RemoteCommand false\\n ControlMaster auto\\n ControlPath ~/.ssh/cm-%%h\\n' > ~/.ssh/config")
    expect(await ok("banger sh work -- 'hostname; whoami'; rm ~/.ssh/config; ls ~/.ssh/cm-* 2>/dev/null || true")).toContain("work\nroot")
  })

  it("is a host of the user's own ssh once that is asked for: files, a forwarded connection, and a name that goes again", async () => {
    await ok("printf 'Host *\\n ProxyJump bastion.example\\n' > ~/.ssh/config && cp ~/.ssh/config own && banger ssh-config --install --autostart")
    expect(await ok("ssh work.vm hostname && scp -q repo/kept.txt work.vm:copied && ssh work.vm cat copied && sleep 5 | ssh -W localhost:22 work.vm | head -c 8")).toBe("work\nkept\nchanged\nSSH-2.0-")
    expect((await sh("ssh -o BatchMode=yes gone.vm")).stderr).toMatch(/bastion/)
    if (ALL) {
      await ok("banger vm stop --timeout 180s work && banger vm rename work other")
      expect(await ok("ssh other.vm hostname")).toBe("other")
    }
    await ok("banger ssh-config --uninstall && cmp ~/.ssh/config own && rm ~/.ssh/config")
  })
})
