/** A program on a terminal of 100 columns and 24 rows: each text that it is to show, and the keys that are pressed then. */
export const onTerminal = (command: string, keys: ReadonlyArray<readonly string[]>) => String.raw`
import fcntl, os, pty, re, select, struct, sys, termios, time
pid, screen = pty.fork()
if pid == 0: os.execvp("sh", ["sh", "-c", "exec ${command}"])
fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
seen = ""
for wanted, keys in [${keys.map(([wanted, pressed]) => `("${wanted}", b"${pressed}")`).join(", ")}]:
    end = time.monotonic() + 60
    while not re.search(wanted, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)):
        if time.monotonic() > end: sys.exit(f"waited for {wanted} and saw {seen[-2000:]!r}")
        if select.select([screen], [], [], 1)[0]: seen += os.read(screen, 65536).decode(errors="replace")
    seen = ""
    os.write(screen, keys)
try:
    while True: seen += os.read(screen, 65536).decode(errors="replace")
except OSError: pass
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "left the alternate screen" if "\x1b[?1049l" in seen else "left it in disorder")
`
