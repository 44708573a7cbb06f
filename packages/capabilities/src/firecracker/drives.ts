/** The drives of a VM in the order they are given to Firecracker, which is the order of /dev/vda, vdb, vdc in the guest. */
export const DRIVES = ["rootfs", "work", "modules"] as const
export type Drive = (typeof DRIVES)[number]

export const deviceOf = (drive: Drive): string => `/dev/vd${String.fromCharCode("a".charCodeAt(0) + DRIVES.indexOf(drive))}`
