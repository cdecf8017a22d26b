import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'

export type PostgresqlServer = { readonly url: string; readonly log: string } | { readonly missing: string }

const user = 'chantal'
const password = 'of the tests'

/**
 * A server of its own for one test run, from the `postgres` that is installed. It starts in the background: {@link createDatabase} waits for it.
 * It stops, and its folder goes, when `stop` is called or this process ends in whatever way: its standard input closes then.
 */
export async function startPostgresql(): Promise<{
  readonly server: PostgresqlServer
  stop(): Promise<void>
}> {
  const programs = findPrograms()
  if (!programs) return { server: { missing: 'PostgreSQL is not installed' }, stop: async () => {} }
  const folder = mkdtempSync(path.join(tmpdir(), 'chantal-postgresql-'))
  const log = path.join(folder, 'log')
  const passwordFile = path.join(folder, 'password')
  writeFileSync(passwordFile, password)
  writeFileSync(log, '')
  // The server refuses to run as root.
  const owner = process.getuid?.() === 0 ? findUnprivileged() : null
  if (owner) for (const file of [folder, passwordFile, log]) chownSync(file, owner.uid, owner.gid)
  const port = await freePort()
  const child = spawn('/bin/sh', ['-c', script], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {
      PATH: process.env['PATH'] ?? '',
      PROGRAMS: programs,
      FOLDER: folder,
      PORT: String(port),
      OWNER: user,
    },
    ...owner,
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.unref()
  const url = `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
  return {
    server: { url, log },
    stop: async () => {
      child.ref()
      child.stdin.end()
      // The shell ends it, by force where it must; a run does not wait for ever where even that fails.
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 10_000).unref())])
      child.unref()
    },
  }
}

// A server that has just been started loses SIGQUIT, which shells let background commands ignore: hence three signals.
// ICU's order is not that of bytes: what must be ordered by bytes has to say so.
const script = `
"$PROGRAMS/initdb" -D "$FOLDER/data" -U "$OWNER" --pwfile="$FOLDER/password" --auth=scram-sha-256 -E UTF8 \
  --locale=C.UTF-8 --locale-provider=icu --icu-locale=en --no-sync >>"$FOLDER/log" 2>&1
"$PROGRAMS/postgres" -D "$FOLDER/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c fsync=off -c shared_buffers=64MB -c max_connections=200 >>"$FOLDER/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
(sleep 0.2; kill -QUIT $server; sleep 2; kill -KILL $server) 2>/dev/null &
killer=$!
kill -TERM $server
wait $server
kill $killer
rm -rf "$FOLDER"
`

/** A fresh database of a running server. @returns its URL, the password in it */
export async function createDatabase(server: PostgresqlServer): Promise<URL> {
  if ('missing' in server) throw new Error(server.missing)
  const name = `test_${randomUUID().replaceAll('-', '_')}`
  const client = await connect(server)
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url
}

async function connect(server: { readonly url: string; readonly log: string }): Promise<pg.Client> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString: server.url })
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      if (attempt === 300)
        throw new Error(`PostgreSQL did not start:\n${readFileSync(server.log, 'utf8')}`, { cause: error })
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The folder of `initdb` and `postgres`: Debian's, the newest first, or one on the path. */
function findPrograms(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
    : []
  const folders = [
    ...versions.map((version) => path.join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(path.delimiter),
  ]
  const isComplete = (folder: string) =>
    ['initdb', 'postgres'].every((program) => existsSync(path.join(folder, program)))
  return folders.find(isComplete) ?? null
}

function findUnprivileged(): { readonly uid: number; readonly gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (option: string) =>
        Number(execFileSync('id', [option, name], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // No such user here: the next.
    }
  }
  throw new Error('running as root, and there is neither a user postgres nor nobody to run the server as')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
