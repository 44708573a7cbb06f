/** Images made by scripts in VMs, and what leads from host to host (spec 6.4, 6.6, 6.8). */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, images, leaks, ok, reset, sh, WORLD, world } from "../host.ts"

const MIRROR = `deb [trusted=yes] http://${WORLD}/mirror ./`

beforeAll(async () => {
  await reset()
  await world()
})

describe("image build", () => {
  it.runIf(ALL)("runs the script in a VM, keeps what it did in / and in /root, and knows when it would do the same again", async () => {
    const script = `#!/bin/bash
set -eu
echo "speaking: $(id -un) on $(hostname)"; echo "complaining" >&2
echo '${MIRROR}' > /etc/apt/sources.list
cd /tmp && apt-get update && apt-get download jq libjq1 libonig5 && dpkg -i ./*.deb && rm ./*.deb
mkdir -p /root/.config && echo made > /root/.config/made
`
    await ok("cat > setup.sh", { input: script })
    const build = () => sh("banger image build --name dev --from plain --script setup.sh --size 12G")
    const built = await build()
    expect(built.status, built.stderr).toBe(0)
    expect(built.stdout).toBe("dev is built\n")
    expect(built.stderr).toMatch(/speaking: root on build-dev\n/)
    expect(built.stderr).toMatch(/complaining\n/)
    expect((await images()).map(({ name }) => name).toSorted()).toEqual(["debian-bookworm", "dev", "plain"])
    expect((await build()).stdout).toMatch(/^dev is up to date: /)
    expect(await ok("banger image build --name dev --from plain --script setup.sh --size 12G --json | tail -n 1 | jq -r .message")).toMatch(/^dev is up to date: /)
    await ok("banger vm create --name d1 --image dev --memory 192")
    expect(await ok("banger vm exec d1 -- sh -c 'cat /root/.config/made; jq -n 40+2; ls /run/banger; wc -c < /etc/machine-id || true'")).toMatch(/^made\n42\n/)
    expect(Number(await ok("banger vm exec d1 -- df -P -m / | awk 'END {print $2}'"))).toBeGreaterThan(11_000)
    await ok("banger vm delete --force --yes d1")
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("a script that fails leaves its output, and nothing else", async () => {
    const before = await images()
    const stored = await ok("ls /var/lib/banger/root/store", { root: true })
    await ok("echo 'echo so far; exit 3' > failing.sh")
    const { status, stderr } = await sh("banger image build --name broken --from plain --script failing.sh --size 12G")
    expect(status).toBe(1)
    expect(stderr).toMatch(/so far\n[^]*banger: could not build broken: the script ended with status 3\n {2}its output is in (\S+)\n$/)
    expect(await ok("cat /var/lib/banger/daemon/builds/broken.log")).toBe("so far")
    expect(await images()).toEqual(before)
    expect(await ok("banger vm list --all -q")).toBe("")
    expect(await ok("ls /var/lib/banger/root/store", { root: true })).toBe(stored)
    expect(await leaks()).toEqual([])
  })

  it("a script in stages goes on with the one that failed", async () => {
    // Of an image of two MiB: each stage is copied and hashed whole.
    await ok("banger image register --name base --rootfs /srv/images/busybox.ext4")
    await ok("cat > staged.sh", { input: "said() { echo \"said $1\"; }\n# stage: one\nsaid one; echo kept > /root/one\n# stage: two\n! mkdir /root/two 2>/dev/null || exit 3\nsaid two\n" })
    const build = () => sh("banger image build --name staged --from base --script staged.sh --size 12G --disk-size 4G --kernel debian-6.1 --verbose")
    const first = await build()
    expect(first.status).toBe(1)
    expect(first.stderr).toMatch(/said one\n[^]*banger: could not build staged: stage two: the script ended with status 3\n {2}its output is in \S+; the same command goes on with the stage, banger image delete staged\.unfinished begins anew\n$/)
    expect((await images()).map(({ name }) => name)).toContain("staged.unfinished")
    const second = await build()
    expect(second.status, second.stderr).toBe(0)
    expect(second.stderr).toMatch(/said two\n/)
    expect(second.stderr).not.toMatch(/said one/)
    expect((await images()).map(({ name }) => name)).not.toContain("staged.unfinished")
    expect(await ok("banger vm run --rm --image staged --memory 192 -- cat /root/one")).toBe("kept")
    if (ALL) expect((await sh("banger image build --name docked --from base --script staged.sh --docker")).stderr).toMatch(/no package manager that banger knows/)
    await ok("banger image delete staged && banger image delete base")
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("an image with its seed goes to another host as one file", async () => {
    // Small, with a hole as large as a disk: what is packed is what there is.
    await ok("cp /srv/images/busybox.ext4 small.ext4 && truncate -s 12G small.ext4 && truncate -s 16M seed.ext4 && /usr/sbin/mkfs.ext4 -q seed.ext4 && banger image register --name small --rootfs small.ext4 --work-seed seed.ext4")
    const exported = JSON.parse(await ok("banger image export small --bundle small.bundle --json"))
    expect(exported.sha256).toBe(await ok("sha256sum < small.bundle | cut -d' ' -f1"))
    expect(JSON.parse(await ok("banger bundle import small.bundle --name again --json"))).toMatchObject({ images: ["again"] })
    const all = await images()
    const of = (wanted: string) => all.filter(({ name }) => name === wanted).map(({ rootfs, seed }) => ({ rootfs, seed }))
    expect(of("again")).toEqual(of("small"))
    // And by a catalog of the user's, from a web server of this host.
    const none = (await ok("mkdir shop && cd shop && cp /srv/mirror/jq_*.deb none.deb && sha256sum < none.deb | cut -d' ' -f1 && stat -c %s none.deb")).split("\n")
    await ok(`cp small.bundle shop/ && cat > shop/catalog.json && cat >> ~/.config/banger/config.toml <<'END'
[catalog]
urls = ["http://127.0.0.1:8000/catalog.json"]
END`, {
      input: JSON.stringify({
        images: { bought: { kind: "bundle", about: "a test's", url: "small.bundle", sha256: exported.sha256, bytes: exported.bytes } },
        kernels: { bare: { about: "a test's", packages: [{ url: "none.deb", sha256: none[0], bytes: Number(none[1]) }] } }
      })
    })
    await ok(`systemd-run -q --unit=shop --uid=owner python3 -m http.server 8000 --bind 127.0.0.1 --directory ~owner/shop
      timeout 60 sh -c 'until curl -fs http://127.0.0.1:8000/catalog.json >/dev/null; do sleep 0.2; done'`, { root: true })
    await ok("banger image pull bought")
    expect(await ok("banger image pull bought")).toBe("bought is up to date")
    const bare = await sh("banger kernel pull bare")
    expect(bare.status).toBe(1)
    expect(bare.stderr).toMatch(/none\.deb [^]*banger: cannot use bare: the packages hold 0 files \/boot\/vmlinuz-\*, not one kernel/)
    await ok("sed -i 's/\"sha256\":\"../\"sha256\":\"00/' shop/catalog.json")
    const wrong = await sh("banger image pull bought")
    expect(wrong.status).toBe(1)
    expect(wrong.stderr).toMatch(/127\.0\.0\.1:8000 sent sha256:/)
    // With all that a host without a network needs, found by its manifest.
    const bundle = JSON.parse(await ok("banger bundle export --out shop/all.bundle --image small --kernel debian-6.1 --firecracker --manifest shop/all.json --url all.bundle --json"))
    expect(bundle.sha256).toBe(await ok("jq -r .sha256 shop/all.json"))
    await ok("banger image delete small && mkdir taken")
    expect(await ok("cd taken && banger bundle import http://127.0.0.1:8000/all.json")).toBe("image small\nkernel debian-6.1\nfirecracker 1.12.1, which root will run: if you trust who made the bundle, sudo install -m 0755 /home/owner/taken/firecracker /home/owner/taken/jailer /usr/local/bin/")
    await ok("cmp taken/firecracker /usr/local/bin/firecracker && cmp taken/jailer /usr/local/bin/jailer && ls /var/cache/banger/staging | wc -l | grep -qx 0")
    expect(of("again")).toEqual((await images()).filter(({ name }) => name === "small").map(({ rootfs, seed }) => ({ rootfs, seed })))
    await ok("banger image delete again && banger image delete bought && sed -i '/^.catalog/,$d' ~/.config/banger/config.toml")
  })
})

// Each import takes a minute or more where the host VM is emulated: a whole module tree becomes a file system.
describe.runIf(ALL)("kernels", () => {
  const release = (deb: string) => deb.replace(/^.*linux-image-(.*?)_.*$/, "$1")
  const boots = async (name: string, wanted: string) => {
    expect(await ok(`banger vm run --rm --image plain --kernel ${name} --memory 192 -- sh -c 'uname -r; ls /lib/modules/*/kernel/net/vmw_vsock/vsock.ko*'`)).toContain(`${wanted}\n/lib/modules/${wanted}/`)
    expect(JSON.parse(await ok("banger kernel list --json")).find(({ files }: { files: { name: string } }) => files.name === name).files.release).toBe(wanted)
  }

  it("the host's own, imported from its /boot by the install, boots", async () => {
    await boots("host", await ok("uname -r"))
  })

  it("one that is registered with its image is what the image's VMs boot", async () => {
    const wanted = await ok("uname -r")
    await ok(`banger image register --name own --rootfs /srv/images/plain.ext4 --vmlinux /boot/vmlinuz-${wanted} --modules /lib/modules/${wanted}`)
    expect(await ok("banger vm run --rm --image own --memory 192 -- uname -r")).toBe(wanted)
    expect(await ok(`banger kernel import --name files --vmlinuz /boot/vmlinuz-${wanted} --modules /lib/modules/${wanted}`)).toBe(`files: imported, ${wanted}`)
  })

  it("one of another flavour boots: from a catalog's package, and from an image's /boot", async () => {
    const deb = await ok("ls /srv/kernels/linux-image-*.deb | grep -v cloud")
    const [sha256, bytes] = (await ok(`sha256sum < ${deb} | cut -d' ' -f1; stat -c %s ${deb}`)).split("\n")
    const packaged = (digest?: string) => ({ about: "a test's", packages: [{ url: deb, sha256: digest, bytes: Number(bytes) }] })
    await ok("cat > kernels.json && cat >> ~/.config/banger/config.toml <<'END'\n[catalog]\nurls = [\"file:///home/owner/kernels.json\"]\nEND", {
      input: JSON.stringify({ kernels: { flavour: packaged(sha256), wrong: packaged("0".repeat(64)) } })
    })
    const wrong = await sh("banger kernel pull wrong")
    expect(wrong.stderr).toMatch(/sha256:/)
    expect(wrong.status).toBe(1)
    expect(JSON.parse((await sh("banger kernel pull wrong --json")).stderr.trim().split("\n").at(-1) ?? "").error.message).toMatch(/sha256:/)
    expect(await ok("banger kernel pull flavour --verbose")).toBe(`flavour: imported, ${release(deb)}`)
    await boots("flavour", release(deb))
    await ok(`cat > kernel.sh`, { input: `cd /tmp && /usr/lib/apt/apt-helper download-file http://${WORLD}${deb.replace("/srv", "")} k.deb && dpkg-deb -x k.deb k && cp -a k/boot/. /boot && cp -a k/lib/modules /lib/ && rm -r k k.deb\n` })
    await ok("banger image build --name with-kernel --from plain --script kernel.sh --size 2G")
    expect(JSON.parse(await ok("banger kernel import --image with-kernel --name from-image --json")).files.release).toBe(release(deb))
    await boots("from-image", release(deb))
    expect(await ok("banger vm list --all -q")).toBe("")
    const none = await sh("banger kernel import --image plain --name nothing")
    expect(none.stderr).toMatch(/cannot use image plain: there is no \/boot\/vmlinuz-RELEASE in it/)
    expect(await leaks()).toEqual([])
  }, 1_800_000)
})
