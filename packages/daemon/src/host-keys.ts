import { differences, type HostConfig, hostValues, inWords } from "@banger/domain/host-config.ts"
import { mend, ready, type Verdict, warning } from "@banger/domain/readiness.ts"

/** A host key in three places: what root goes by since the helper started, what host.toml says by now, and what the owner wishes. */
interface Keys {
  readonly trusted: HostConfig
  readonly file: HostConfig
  readonly wish: HostConfig
}

const values = (config: HostConfig) => JSON.stringify(hostValues(config))

export const judge = ({ file, trusted, wish }: Keys): Verdict => {
  const wished = differences(trusted, wish)
  return wished.length > 0
    ? warning(`~/.config/banger/config.toml wishes what root does not go by: ${wished.map(inWords).join(", ")}`, mend("sudo banger system apply"))
    : values(file) !== values(trusted)
    ? warning("/etc/banger/host.toml has changed since the services were started", mend("sudo banger system restart"))
    : ready("root goes by what config.toml wishes and host.toml says")
}
