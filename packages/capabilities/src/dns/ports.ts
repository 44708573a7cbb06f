/** Where hosts ask for `.vm` names, on 127.0.0.1, UDP and TCP. */
export const HOST_DNS_PORT = 42069

/** Where guests' queries arrive, on the bridge's address: port 53 is redirected here, since the daemon may not bind it. */
export const GUEST_DNS_PORT = 42053
