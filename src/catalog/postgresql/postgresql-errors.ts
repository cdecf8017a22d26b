import { ChantalError, hasSystemCode } from '../../core/errors.ts'

/**
 * Whether the transaction may succeed when it runs again: serialization failure, deadlock; and a key or reference that another
 * transaction has just made or taken away.
 * @see PostgreSQL, “Serialization Failure Handling”
 */
export function isConflict(error: unknown): boolean {
  return hasSystemCode(error, '40001', '40P01', '23505', '23503')
}

/** What the server or the network refused, as a user's error; anything else unchanged. Says nothing of credentials. */
export function explainPostgresqlError(error: unknown, url: URL): unknown {
  if (error instanceof ChantalError || !(error instanceof Error)) return error
  const server = `${url.hostname || 'localhost'}:${url.port || '5432'}`
  const database = decodeURIComponent(url.pathname.slice(1))
  const details = { server, database }
  if (hasSystemCode(error, '53100')) {
    return new ChantalError('DISK_FULL', `no space left on the disk of the database server ${server}`, {
      cause: error,
      hint: 'Free space on the database server, or enlarge its disk; then run the command again.',
      details,
    })
  }
  const unavailable = (reason: string, hint: string) =>
    new ChantalError('CATALOG_UNAVAILABLE', `cannot use the catalog ${database} at ${server}: ${reason}`, {
      cause: error,
      hint,
      details,
    })
  // 28: authorization. 3D: no such database. 42501: no privilege.
  if (hasSystemCode(error, '28P01', '28000')) {
    return unavailable('the server refused the login', 'Check the user in database.url, and PGPASSWORD.')
  }
  if (isPasswordMissing(error)) {
    return unavailable(
      'the server wants a password, and there is none',
      'Give it in PGPASSWORD, or in a file that database.password_file names.',
    )
  }
  if (hasSystemCode(error, '3D000')) {
    return unavailable('there is no such database', 'Create it with `createdb`, or correct database.url.')
  }
  if (hasSystemCode(error, '42501')) {
    return unavailable('the user may not write there', 'Make the user owner of the database.')
  }
  if (isConnectionLost(error)) {
    return unavailable(
      'the server does not answer',
      'Check that PostgreSQL runs and that database.url names its host and port.',
    )
  }
  return error
}

/** The driver finds that out itself, and gives it no code. */
function isPasswordMissing(error: Error): boolean {
  return /^SASL: .*client password must be a/.test(error.message)
}

function isConnectionLost(error: Error): boolean {
  const codes = [
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPIPE',
    'ENOENT',
    // Connection exceptions; the server shuts down, crashed, or starts; too many connections.
    '08000',
    '08003',
    '08006',
    '57P01',
    '57P02',
    '57P03',
    '53300',
  ]
  // The driver gives these no code.
  return (
    hasSystemCode(error, ...codes) ||
    /connection terminated|timeout exceeded when trying to connect|SSL connection|not queryable/i.test(
      error.message,
    )
  )
}
