import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { ChantalError, hasSystemCode } from '../../core/errors.ts'
import type { PostgresqlLocation } from './postgresql-engine.ts'

/** Of what the program says, only the end is shown. */
const shownCharacters = 500

/**
 * The server's own program writes the one state of a transaction in its custom format, for `pg_restore`. Leases stay out.
 * The password goes by the environment: arguments are seen by everybody on the host.
 * @throws ChantalError `USAGE_INVALID` where the program is not installed, `CATALOG_UNAVAILABLE` where it fails
 */
export async function dumpPostgresql(
  { url, password }: PostgresqlLocation,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const login = new URL(url)
  const secret = password ?? decodeURIComponent(login.password)
  login.password = ''
  const args = [
    '--format=custom',
    '--no-owner',
    '--no-privileges',
    '--exclude-table-data=lease',
    `--file=${target}`,
    `--dbname=${login.href}`,
  ]
  const child = spawn('pg_dump', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(secret !== '' && { PGPASSWORD: secret }) },
    signal,
  })
  let said = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    said = (said + text).slice(-shownCharacters)
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw hasSystemCode(error, 'ENOENT') ? notInstalled(error) : error
  })
  if (status !== 0) {
    const [reason = 'it says nothing'] = said.trim().split('\n').slice(-1)
    throw new ChantalError('CATALOG_UNAVAILABLE', `pg_dump ended with status ${status}: ${reason}`, {
      hint: 'It has to be of the version of the server, or newer.',
      details: { status },
    })
  }
  await using handle = await open(target, 'r+')
  await handle.sync()
}

function notInstalled(cause: unknown): ChantalError {
  return new ChantalError('USAGE_INVALID', 'pg_dump is not installed, which backs up a PostgreSQL catalog', {
    cause,
    hint: "Install the PostgreSQL client programs of the server's version, or newer. `chantal db export` needs none, but leaves publications out.",
  })
}
