/** The client alone: undici's index loads fetch, WebSocket and caches, a third of what the daemon would load at all. */
declare module "undici/lib/dispatcher/client.js" {
  import { Client } from "undici"
  export default Client
}
