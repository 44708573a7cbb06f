/** Where distributions put the kernel of a release: Debian, Fedora and openSUSE first, then Arch and Fedora, then Gentoo. */
export const kernelFiles = (release: string): ReadonlyArray<string> => [
  `/boot/vmlinuz-${release}`,
  `/lib/modules/${release}/vmlinuz`,
  `/boot/kernel-${release}`
]
