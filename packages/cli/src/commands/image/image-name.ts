/** The name that an image gets when none is given: `debian:12` becomes debian-12, `ghcr.io/owner/tool` tool. */
export const nameOf = (reference: string): string => {
  const [tagged = "", digest] = reference.split("@")
  const last = tagged.split("/").at(-1) ?? ""
  const [repository = "", tag] = last.split(":")
  const suffix = tag !== undefined && tag !== "latest" ? `-${tag}` : tag === undefined && digest !== undefined ? `-${digest.replace(/^sha256:/, "").slice(0, 12)}` : ""
  return `${repository}${suffix}`.toLowerCase().replaceAll(/[^a-z0-9._-]/g, "-").slice(0, 63)
}
