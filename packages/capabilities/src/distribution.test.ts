import { assert, describe, it } from "@effect/vitest"
import { mend } from "@banger/domain/readiness.ts"
import { installs } from "./distribution.ts"

describe("distribution", () => {
  it("names the package as each family calls it", () => {
    assert.deepStrictEqual(installs("losetup", 'PRETTY_NAME="Debian"\nID=debian\n'), mend("sudo apt-get install -y mount"))
    assert.deepStrictEqual(installs("ip", 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'), mend("sudo dnf install -y iproute"))
    assert.deepStrictEqual(installs("ssh-keygen", "ID=manjaro\nID_LIKE=arch\n"), mend("sudo pacman -S --needed --noconfirm openssh"))
    assert.deepStrictEqual(installs("dmsetup", 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n'), mend("sudo zypper --non-interactive install device-mapper"))
  })

  it("gives advice on a distribution that it does not know", () => {
    assert.strictEqual(installs("nft", "ID=nixos\n"), "install the package that has nft")
    assert.strictEqual(installs("nft", ""), "install the package that has nft")
  })
})
