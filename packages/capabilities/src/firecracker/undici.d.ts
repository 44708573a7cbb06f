// The client and its one call alone: undici's index loads fetch, WebSocket and caches, a third of what the daemon would load at all.

declare module "undici/lib/dispatcher/client.js" {
  import { Client } from "undici"
  export default Client
}

declare module "undici/lib/api/api-request.js" {
  import type { Client, Dispatcher } from "undici"
  /** undici's index makes the method `request` of this function. */
  const request: (this: Client, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>
  export default request
}
