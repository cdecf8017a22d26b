import { BlockList, isIPv4 } from 'node:net'
import type { Agent, Dispatcher, ProxyAgent } from 'undici'
import { basicAuthorization, type OriginCredentials } from './credentials.ts'
import type { ProxySettings, TlsSettings, UpstreamAccess } from './downloader.ts'

/**
 * Open connections, shared by all repositories whose way to the network is the same. A client certificate is shown when a connection is made, so a
 * repository that has one has connections of two kinds: with it to its feed's own origins, without it to all others.
 */
export class Connections implements AsyncDisposable {
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>()
  /** By origin: whoever asks once asks for thousands of files. */
  readonly #byAccess = new WeakMap<UpstreamAccess, Map<string, Promise<Dispatcher>>>()

  /** What takes a request for `url` there: directly, or by the repository's proxy. @param credentials those of `access` */
  for(url: URL, access: UpstreamAccess, credentials: OriginCredentials): Promise<Dispatcher> {
    const byOrigin = this.#byAccess.get(access) ?? new Map<string, Promise<Dispatcher>>()
    this.#byAccess.set(access, byOrigin)
    const { origin } = url
    const dispatcher = byOrigin.get(origin) ?? this.#dispatcherFor(url, access, credentials.tlsFor(url))
    byOrigin.set(origin, dispatcher)
    return dispatcher
  }

  #dispatcherFor(url: URL, access: UpstreamAccess, tls: TlsSettings): Promise<Dispatcher> {
    const proxy = proxyFor(url, access.proxy)
    const { timeoutMs } = access.limits
    const key = JSON.stringify([proxy?.href, proxy && authorizationFor(proxy, access.proxy), tls, timeoutMs])
    const known = this.#dispatchers.get(key)
    if (known) return known
    const made = proxy ? proxyAgent(proxy, access.proxy, tls, timeoutMs) : directAgent(tls, timeoutMs)
    this.#dispatchers.set(key, made)
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map(async (dispatcher) => (await dispatcher).destroy()))
    this.#dispatchers.clear()
  }
}

/** The proxy for `url`; `null` goes direct. */
function proxyFor(url: URL, settings: ProxySettings): URL | null {
  const proxy = url.protocol === 'https:' ? settings.https : settings.http
  return proxy && !bypassesProxy(url, settings.noProxy) ? proxy : null
}

/**
 * Whether one of the `no_proxy` rules names the host. As curl has it: a name covers the hosts below it, with or without a leading dot.
 * @param rules `*`, `name`, `.suffix`, an address, each with an optional `:port`; or an IPv4 network `10.0.0.0/8`
 */
export function bypassesProxy(url: URL, rules: readonly string[]): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return rules.some((rule) => matchesRule(rule.trim().toLowerCase(), host, port))
}

function matchesRule(rule: string, host: string, port: string): boolean {
  if (rule === '') return false
  if (rule === '*') return true
  const network = /^([\d.]+)\/(\d{1,2})$/.exec(rule)
  if (network) return isInNetwork(host, network[1] ?? '', Number(network[2]))
  const [name, wantedPort] = splitPort(rule)
  if (wantedPort !== null && wantedPort !== port) return false
  if (name === '*') return true
  const domain = name.replace(/^\*?\./, '')
  return host === domain || host.endsWith(`.${domain}`)
}

/** `name`, `name:port`, `[::1]`, `[::1]:port`, `::1`. */
function splitPort(rule: string): readonly [name: string, port: string | null] {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(rule)
  if (bracketed) return [bracketed[1] ?? '', bracketed[2] ?? null]
  const plain = /^([^:]*):(\d+)$/.exec(rule)
  return plain ? [plain[1] ?? '', plain[2] ?? null] : [rule, null]
}

function isInNetwork(host: string, network: string, prefix: number): boolean {
  if (!isIPv4(host) || !isIPv4(network) || prefix > 32) return false
  const list = new BlockList()
  list.addSubnet(network, prefix)
  return list.check(host)
}

/**
 * Loads of undici what it needs, when it needs it: the whole, with fetch, caches and web sockets, takes 50 ms, a fifth of a short command;
 * this part a fourth of that.
 */
async function directAgent(tls: TlsSettings, timeoutMs: number): Promise<Agent> {
  const { default: DirectAgent } = await import('undici/lib/dispatcher/agent.js')
  return new DirectAgent({ allowH2: false, connect: { ...tlsOptions(tls), timeout: timeoutMs } })
}

async function proxyAgent(
  proxy: URL,
  settings: ProxySettings,
  tls: TlsSettings,
  timeoutMs: number,
): Promise<ProxyAgent> {
  // Tunnels are made by what only the whole adds to its parts.
  const undici = await import('undici')
  const authorization = authorizationFor(proxy, settings)
  const bare = new URL(proxy)
  bare.username = ''
  bare.password = ''
  return new undici.ProxyAgent({
    uri: bare.href,
    ...(authorization ? { token: authorization } : {}),
    allowH2: false,
    requestTls: { ...tlsOptions(tls), timeout: timeoutMs },
    // The client certificate is for the upstream, not for the proxy.
    proxyTls: { ...tlsOptions({ ...tls, certificate: null, key: null }), timeout: timeoutMs },
    // Without a limit of its own, a proxy that never answers CONNECT would hold the request for minutes.
    clientFactory: (origin, options) => new undici.Pool(origin, { ...options, headersTimeout: timeoutMs }),
  })
}

function authorizationFor(proxy: URL, settings: ProxySettings): string | null {
  if (settings.username !== null) return basicAuthorization(settings.username, settings.password ?? '')
  if (proxy.username === '') return null
  return basicAuthorization(decodeURIComponent(proxy.username), decodeURIComponent(proxy.password))
}

function tlsOptions(tls: TlsSettings) {
  return {
    rejectUnauthorized: tls.verify,
    allowH2: false,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.certificate === null ? {} : { cert: tls.certificate }),
    ...(tls.key === null ? {} : { key: tls.key }),
  }
}
