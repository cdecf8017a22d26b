import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { linesOf, systemPath } from './command.ts'

export interface NginxRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Bytes of the answer's body. */
  readonly size: number
  /** The answer's header as it was sent; `null` without one. */
  readonly lastModified: string | null
}

export interface Nginx extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  /** Everything asked for so far, in order. */
  requests(): Promise<readonly NginxRequest[]>
  stop(): Promise<void>
}

/**
 * Serves `root` with Debian's nginx, whose workers run as another user when we are root: what that user may not read, no client gets.
 * Every folder above `root` must therefore let others pass (`mkdtemp` makes folders that do not).
 * Ends with `stop`, with `await using`, or with this process, however that ends.
 * @param alsoAt a further port, for clients that know no other
 */
export async function startNginx(root: string, alsoAt: number | null = null): Promise<Nginx> {
  for (let attempt = 1; ; attempt++) {
    const started = await tryToStart(root, await freePort(), alsoAt)
    if (typeof started !== 'string') return started
    // Somebody took the port between our look and nginx's.
    if (attempt === 5 || !started.includes('Address already in use'))
      throw new Error(`nginx did not start\n${started}`)
  }
}

/** @returns nginx's complaint where it did not start */
async function tryToStart(root: string, port: number, alsoAt: number | null): Promise<Nginx | string> {
  const folder = await mkdtemp(join(tmpdir(), 'chantal-nginx-'))
  await chmod(folder, 0o755)
  const configuration = join(folder, 'nginx.conf')
  await writeFile(configuration, configurationOf({ root, port, alsoAt, folder }))
  // The kernel ends nginx with us, also when we are killed.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'TERM', 'nginx', '-e', 'stderr', '-p', folder, '-c', configuration],
    {
      env: { PATH: systemPath },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  child.on('error', (error) => {
    complaint += error.message
  })
  if (!(await isListening(child, port))) {
    await end(child, folder)
    return complaint || 'it did not listen in time'
  }
  const stop = () => end(child, folder)
  return {
    url: `http://127.0.0.1:${port}`,
    requests: async () => linesOf(await readFile(join(folder, 'access.log'), 'utf8')).map(parseRequest),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function configurationOf({
  root,
  port,
  alsoAt,
  folder,
}: {
  readonly root: string
  readonly port: number
  readonly alsoAt: number | null
  readonly folder: string
}): string {
  const quotedRoot = root.replace(/["\\$]/g, '\\$&')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  )
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${userInfo().uid === 0 ? 'user www-data;' : ''}
events { worker_connections 512; }
http {
  log_format plain '$request_method|$status|$body_bytes_sent|$sent_http_last_modified|$request_uri';
  access_log ${folder}/access.log plain;
  default_type application/octet-stream;
  sendfile on;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${alsoAt === null ? '' : `listen 127.0.0.1:${alsoAt};`}
    root "${quotedRoot}";
  }
}
`
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  await rm(folder, { recursive: true, force: true })
}

async function isListening(child: ChildProcess, port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false
    if (await accepts(port)) {
      // Another server's port accepts as well, while ours is about to give up.
      await sleep(50)
      return child.exitCode === null
    }
    await sleep(50)
  }
  return false
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

function parseRequest(line: string): NginxRequest {
  const [method = '', status = '', size = '', modified = '', ...path] = line.split('|')
  const lastModified = modified === '-' ? null : modified
  return { method, path: path.join('|'), status: Number(status), size: Number(size), lastModified }
}
