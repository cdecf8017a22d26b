import * as http from 'node:http'
import * as net from 'node:net'
import { portOf } from './upstream.ts'

/** What a proxy saw of one request. */
export interface ProxiedRequest {
  /** `CONNECT` for a tunnel, whose requests it cannot see. */
  readonly method: string
  /** An absolute URL, or `host:port` of a tunnel. */
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
}

/** A forward proxy within the test's own process. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: URL
  readonly requests: readonly ProxiedRequest[]
}

/** Starts an HTTP proxy on 127.0.0.1 that tunnels `CONNECT` and forwards the rest. With `authorization` it answers 407 to who lacks it. */
export async function startProxy(
  authorization: { readonly username: string; readonly password: string } | null = null,
): Promise<ForwardProxy> {
  const requests: ProxiedRequest[] = []
  const sockets = new Set<net.Socket>()
  const keep = (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const wanted = authorization && `${authorization.username}:${authorization.password}`
  const isWelcome = (headers: http.IncomingHttpHeaders) =>
    wanted === null || headers['proxy-authorization'] === `Basic ${Buffer.from(wanted).toString('base64')}`
  const note = (request: http.IncomingMessage) =>
    requests.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers })

  const server = http.createServer((request, response) => {
    note(request)
    if (!isWelcome(request.headers)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end()
      return
    }
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = request.headers
    const forwarded = http.request(
      request.url ?? '',
      { method: request.method ?? 'GET', headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    forwarded.on('error', () => response.writeHead(502).end())
    request.pipe(forwarded)
  })
  server.on('connection', keep)
  server.on('connect', (request, client: net.Socket) => {
    note(request)
    if (!isWelcome(request.headers)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    const target = net.connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      target.pipe(client)
      client.pipe(target)
    })
    keep(target)
    target.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: new URL(`http://127.0.0.1:${portOf(server)}`),
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
