import type { GuestPatch } from "@banger/capabilities/capability.ts"
import { MAILBOX_PORT } from "./contract.ts"

export const COMMAND = "/usr/local/bin/leave-message"

/** Perl without modules: perl-base is essential in Debian, so the smallest image of it can run this. */
const script = `#!/usr/bin/perl
# Leaves a one-line message with the host: leave-message TEXT..., or a line on stdin.
use strict;
my $line = @ARGV ? join(" ", @ARGV) : <STDIN>;
defined $line or die "leave-message: nothing to say\\n";
$line =~ tr/\\n/ /;
# AF_VSOCK, SOCK_STREAM; struct sockaddr_vm is family, reserved, port, CID (2 is the host), padding.
socket(my $host, 40, 1, 0) or die "leave-message: no vsock: $!\\n";
connect($host, pack("SSLLx4", 40, 0, ${MAILBOX_PORT}, 2)) or die "leave-message: the host does not listen: $!\\n";
syswrite($host, "$line\\n");
chomp(my $answer = <$host> // "the host went away");
$answer eq "ok" or die "leave-message: $answer\\n";
`

export const guest = (): GuestPatch => ({ files: [{ path: COMMAND, mode: "0755", content: script }] })
