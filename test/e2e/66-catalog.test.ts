/** The default image, made by the catalog's recipe at the first vm run (spec 1.2, 6.2); what takes room, and what goes (5.4). */
import { readFileSync } from "node:fs"
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, images, leaks, ok, registry, reset, sh, WORLD, world } from "../host.ts"

// An image of its own, made once more from its sources: e2e/65 builds images in every run.
describe.runIf(ALL)("the first vm run", () => {
  beforeAll(async () => {
    await reset()
    await world()
  })

  it("makes the default image by its recipe, from this host's registry and mirror; the second is immediate", async () => {
    await registry()
    await ok("test -e oci || mkdir oci; cat > oci/make-layout && chmod +x oci/make-layout", { input: readFileSync("test/oci/make-layout") })
    await ok(`mkdir -p /mnt/image /srv/oci && mount -o loop,ro /srv/images/plain.ext4 /mnt/image && tar -C /mnt/image --exclude=./lost+found -cf /srv/oci/debian.tar . && umount /mnt/image
      ~owner/oci/make-layout /srv/oci/debian bookworm /srv/oci/debian.tar && rm /srv/oci/debian.tar
      skopeo copy --quiet --dest-tls-verify=false oci:/srv/oci/debian:1 docker://127.0.0.1:5000/library/debian:bookworm`, { root: true })
    await ok(`cat >> ~/.config/banger/config.toml`, { input: `
[catalog.mirrors]
"docker.io" = "127.0.0.1:5000"
[catalog.parameters.debian-bookworm]
APT_SOURCES = "deb [trusted=yes] http://${WORLD}/mirror ./"
PACKAGES = "jq"
DOCKER_URL = ""
MISE_URL = ""
OPENCODE_URL = ""
TMUX_PLUGINS_URL = ""
` })
    await ok("banger image delete debian-bookworm")
    const first = await sh("banger vm run --rm -- jq -n 6*7")
    expect(first.status, first.stderr).toBe(0)
    expect(first.stdout).toBe("42\n")
    for (const line of [/image debian-bookworm is not here yet/, /fetched and unpacked/, /== packages/, /stage packages/, /debian-bookworm is built by its recipe of sha256:/, /spec: .*image debian-bookworm/]) expect(first.stderr).toMatch(line)
    const second = await sh("banger vm run --rm -- jq -n 6*7")
    expect([second.status, second.stdout]).toEqual([0, "42\n"])
    expect(second.stderr).toMatch(/^spec: /)
    expect(await ok("banger image pull debian-bookworm")).toBe("debian-bookworm is up to date")
    expect(await ok("banger image pull --update debian-bookworm")).toBe("debian-bookworm is up to date")
    expect((await images()).map(({ name }) => name)).not.toContain("debian-bookworm.base")
    await ok("sed -i 's/^PACKAGES.*/PACKAGE = \"jq\"/' ~/.config/banger/config.toml")
    const misspelt = await sh("banger image pull debian-bookworm")
    expect(misspelt.stderr).toMatch(/it has no parameter PACKAGE\n {2}it has APT_SOURCES, PACKAGES/)
  })

  it("the disk: nothing is an orphan, and prune takes the layers", async () => {
    const usages = async () => (JSON.parse(await ok("banger df --json")).usages as ReadonlyArray<{ what: string; name: string; removable: boolean }>)
    expect((await usages()).filter(({ removable }) => removable).map(({ what }) => what)).toEqual(["layers"])
    expect(await ok("banger prune")).toMatch(/ layers of container images: .*\n\S+ \S+ freed$/)
    expect((await usages()).filter(({ removable }) => removable)).toEqual([])
    expect(await ok("banger vm run --rm -- jq -n 1")).toBe("1")
    expect(await leaks()).toEqual([])
  })
})
