import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import path from 'node:path'
import { TLSSocket } from 'node:tls'
import { type Behaviour, Behaviours } from './behaviour.ts'

export type { Behaviour } from './behaviour.ts'

/** What a request must bring to be served. */
export type Authorization =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'header'; readonly name: string; readonly value: string }

export interface UpstreamOptions {
  /** Served under `/`; `files` go before it. */
  readonly folder?: string
  /** By path without a leading `/`, not percent-encoded. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /**
   * Serves https. With `clientAuthority` (PEM, as the others), clients are asked for a certificate of that authority; one that brings none gets 400,
   * as from nginx, unless `servesAnyone`.
   */
  readonly tls?: {
    readonly certificate: string
    readonly key: string
    readonly clientAuthority?: string
    readonly servesAnyone?: boolean
  }
  readonly authorization?: Authorization
  /** Default: strong. */
  readonly etags?: 'strong' | 'weak' | 'none'
}

/** One request as it came in. */
export interface LoggedRequest {
  /** Decoded, without the leading `/` and the query. */
  readonly path: string
  /** As it was sent, query included. */
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  /** Whether the connection has a client certificate that was asked for. */
  readonly hasCertificate: boolean
  /** Of the answer; 0 where there was none. */
  readonly status: number
}

/** A web server within the test's own process, which misbehaves on demand. Disposing of it cuts what is open. */
export interface Upstream extends AsyncDisposable {
  /** Ends in `/`. */
  readonly url: URL
  readonly requests: readonly LoggedRequest[]
  /** The most requests that were being answered at one moment. */
  readonly mostAtOnce: number
  put(path: string, content: string | Uint8Array): void
  remove(path: string): void
  /** See {@link Behaviours.set}; the path `*` stands for all that have none of their own. */
  behave(path: string, ...behaviours: readonly Behaviour[]): void
  requestsFor(path: string): readonly LoggedRequest[]
  forgetRequests(): void
}

/** Starts an upstream on 127.0.0.1, at a free port. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const upstream = new InProcessUpstream(options)
  await upstream.listen()
  return upstream
}

class InProcessUpstream implements Upstream {
  readonly #options: UpstreamOptions
  readonly #server: http.Server | https.Server
  readonly #files: Map<string, Uint8Array>
  readonly #behaviours = new Behaviours()
  readonly #sockets = new Set<Socket>()
  readonly requests: LoggedRequest[] = []
  #atOnce = 0
  mostAtOnce = 0

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#files = new Map(
      Object.entries(options.files ?? {}).map(([name, content]) => [name, bytesOf(content)]),
    )
    const answer = (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.#answer(request, response).catch((error) => response.destroy(error))
    }
    const { tls } = options
    this.#server = tls
      ? https.createServer(
          {
            cert: tls.certificate,
            key: tls.key,
            ...(tls.clientAuthority
              ? { ca: tls.clientAuthority, requestCert: true, rejectUnauthorized: false }
              : {}),
          },
          answer,
        )
      : http.createServer(answer)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  get url(): URL {
    return new URL(`${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${portOf(this.#server)}/`)
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  put(name: string, content: string | Uint8Array): void {
    this.#files.set(name, bytesOf(content))
  }

  remove(name: string): void {
    this.#files.delete(name)
  }

  behave(name: string, ...behaviours: readonly Behaviour[]): void {
    this.#behaviours.set(name, ...behaviours)
  }

  requestsFor(name: string): readonly LoggedRequest[] {
    return this.requests.filter((request) => request.path === name)
  }

  forgetRequests(): void {
    this.requests.length = 0
    this.mostAtOnce = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = request.url ?? '/'
    const name = decodeURIComponent(new URL(url, 'http://upstream').pathname.slice(1))
    this.#atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce)
    const hasCertificate = request.socket instanceof TLSSocket && request.socket.authorized
    const entry = { path: name, url, headers: request.headers, hasCertificate, status: 0 }
    this.requests.push(entry)
    // Counted down before the last bytes can reach the client, or else its next request would seem to overlap.
    let isCounted = true
    const uncount = () => {
      if (isCounted) this.#atOnce -= 1
      isCounted = false
    }
    response.on('close', uncount)
    const log = () => {
      entry.status = response.statusCode
    }
    const { clientAuthority, servesAnyone = false } = this.#options.tls ?? {}
    const lacksCertificate = clientAuthority !== undefined && !servesAnyone && !hasCertificate
    if (lacksCertificate || !this.#isAuthorized(request)) {
      response.statusCode = lacksCertificate ? 400 : 401
      log()
      response.end()
      uncount()
      return
    }
    const behaviour = this.#behaviours.next(name)
    const file = await this.#read(name)
    await respond(request, response, file, behaviour, this.#options.etags ?? 'strong', log)
    if (response.writableEnded) uncount()
  }

  #isAuthorized(request: http.IncomingMessage): boolean {
    const { authorization } = this.#options
    if (!authorization) return true
    const { headers } = request
    switch (authorization.kind) {
      case 'basic': {
        const pair = `${authorization.username}:${authorization.password}`
        return headers.authorization === `Basic ${Buffer.from(pair).toString('base64')}`
      }
      case 'bearer':
        return headers.authorization === `Bearer ${authorization.token}`
      case 'header':
        return headers[authorization.name.toLowerCase()] === authorization.value
    }
  }

  async #read(name: string): Promise<Uint8Array | null> {
    const held = this.#files.get(name)
    const { folder } = this.#options
    if (held || folder === undefined) return held ?? null
    const file = path.join(folder, name)
    if (!file.startsWith(path.join(folder, '/'))) return null
    return fs.readFile(file).catch(() => null)
  }
}

/** The port of a server that listens. */
export function portOf(server: http.Server | https.Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}

async function respond(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  file: Uint8Array | null,
  behaviour: Behaviour | null,
  etags: 'strong' | 'weak' | 'none',
  log: () => void,
): Promise<void> {
  const finish = (
    status: number,
    headers: Readonly<Record<string, string | number>>,
    body: Uint8Array | string = '',
  ) => {
    response.writeHead(status, headers)
    log()
    response.end(body)
  }
  switch (behaviour?.kind) {
    case 'silent':
      return
    case 'working':
      for (let sent = 0; sent < behaviour.answers && !response.destroyed; sent++) {
        response.writeProcessing()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      break
    case 'status':
      return finish(behaviour.status, behaviour.headers ?? {}, `status ${behaviour.status}\n`)
    case 'page':
      return finish(
        200,
        { 'content-type': 'text/html; charset=utf-8' },
        '<!doctype html><title>Please log in</title>',
      )
    case 'redirect':
      return finish(behaviour.status ?? 302, { location: String(behaviour.to) })
    case 'content':
      return finish(200, { 'content-length': bytesOf(behaviour.body).byteLength }, behaviour.body)
    case 'endless':
      response.writeHead(200)
      log()
      return sendEndlessly(response)
  }
  if (!file) return finish(404, {}, 'not found\n')

  const digest = createHash('sha1').update(file).digest('hex')
  const etag = etags === 'none' ? null : etags === 'weak' ? `W/"${digest}"` : `"${digest}"`
  const headers: Record<string, string | number> = {
    'last-modified': lastModified,
    ...(etag ? { etag } : {}),
    ...(behaviour?.kind === 'gzip-encoding' ? { 'content-encoding': 'gzip' } : {}),
    ...(behaviour?.kind === 'no-ranges' ? {} : { 'accept-ranges': 'bytes' }),
  }
  if (isUnchanged(request.headers, etag)) return finish(304, headers)
  const range = behaviour?.kind === 'no-ranges' ? null : rangeOf(request.headers, etag)
  if (range !== null && (range >= file.byteLength || behaviour?.kind === 'unsatisfiable-range')) {
    return finish(416, { 'content-range': `bytes */${file.byteLength}` })
  }
  const from = range === null ? 0 : behaviour?.kind === 'wrong-range' ? 0 : range
  const body = file.subarray(from)
  const isChunked = behaviour?.kind === 'chunked' || (behaviour?.kind === 'truncated' && behaviour.chunked)
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    ...(isChunked ? {} : { 'content-length': body.byteLength }),
    ...(range === null ? {} : { 'content-range': `bytes ${from}-${file.byteLength - 1}/${file.byteLength}` }),
  })
  log()
  await sendBody(response, body, behaviour)
}

const lastModified = 'Wed, 01 Jan 2025 00:00:00 GMT'

function isUnchanged(headers: http.IncomingHttpHeaders, etag: string | null): boolean {
  const wanted = headers['if-none-match']
  return wanted === undefined ? headers['if-modified-since'] === lastModified : wanted === etag
}

/** The start of `bytes=N-`; `null` where the whole file is to be sent. */
function rangeOf(headers: http.IncomingHttpHeaders, etag: string | null): number | null {
  const match = /^bytes=(\d+)-$/.exec(headers.range ?? '')
  const condition = headers['if-range']
  if (!match || (condition !== undefined && condition !== etag && condition !== lastModified)) return null
  return Number(match[1])
}

async function sendBody(
  response: http.ServerResponse,
  body: Uint8Array,
  behaviour: Behaviour | null,
): Promise<void> {
  if (behaviour?.kind === 'truncated') {
    await write(response, body.subarray(0, behaviour.after))
    response.destroy()
  } else if (behaviour?.kind === 'stalled') {
    await write(response, body.subarray(0, behaviour.after))
  } else if (behaviour?.kind === 'slow') {
    let sent = 0
    for (; sent + behaviour.bytes < body.byteLength && !response.destroyed; sent += behaviour.bytes) {
      await write(response, body.subarray(sent, sent + behaviour.bytes))
      await new Promise((resolve) => setTimeout(resolve, behaviour.pauseMs))
    }
    response.end(body.subarray(sent))
  } else {
    response.end(body)
  }
}

async function sendEndlessly(response: http.ServerResponse): Promise<void> {
  const block = Buffer.alloc(64 * 1024, 'endless ')
  while (!response.destroyed) await write(response, block)
}

/** Resolves once the bytes have left this process, so that what follows does not overtake them. */
function write(response: http.ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.write(bytes, () => resolve())
  })
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content
}
