import { statfsSync } from 'node:fs'
import path from 'node:path'
import { ChantalError, hasSystemCode } from '../../core/errors.ts'

/** Primary result codes of SQLite. */
const result = {
  perm: 3,
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
}

/** Whether another process is writing. */
export function isBusy(error: unknown): boolean {
  return resultOf(error) === result.busy
}

/** What SQLite or the disk refused, as a user's error; anything else unchanged. */
export function explainSqliteError(error: unknown, file: string): unknown {
  const code = resultOf(error)
  const unavailable = (message: string, hint: string) =>
    new ChantalError('CATALOG_UNAVAILABLE', message, { cause: error, hint, details: { file } })
  if (lacksSpace(error, file)) {
    return new ChantalError('DISK_FULL', `no space left on the disk that holds ${file}`, {
      cause: error,
      hint: 'Free space, or enlarge the disk; then run the command again.',
      details: { file },
    })
  }
  if (code === result.busy) {
    return unavailable(
      `the catalog ${file} is being written by another process`,
      'Run the command again once that process has finished.',
    )
  }
  if (code === result.notADatabase || code === result.corrupt) {
    return unavailable(
      `${file} is no sound SQLite database`,
      'Correct database.url, or restore the file from a backup.',
    )
  }
  if (isDenied(error)) {
    return unavailable(
      `cannot open or write the catalog ${file}`,
      'Check that the folder exists and belongs to the user who runs this program.',
    )
  }
  return error
}

/**
 * What kept a copy of the catalog from being written, as a user's error that names the copy's folder: its file has a name that only its
 * writer knows. Anything else unchanged: it is the catalog's own.
 */
export function explainCopyError(error: unknown, copy: string): unknown {
  const folder = path.dirname(copy)
  if (lacksSpace(error, copy)) {
    return new ChantalError('DISK_FULL', `no space left on the disk that holds ${folder}`, {
      cause: error,
      hint: 'Free space there, or write to another disk.',
      details: { path: folder },
    })
  }
  if (isDenied(error) && !isReadFailure(error)) {
    return new ChantalError('NOT_WRITABLE', `cannot write the copy of the catalog in ${folder}`, {
      cause: error,
      hint: 'Check that the folder belongs to the user who runs this program, and that its disk is sound.',
      details: { path: folder },
    })
  }
  return error
}

function lacksSpace(error: unknown, file: string): boolean {
  const code = resultOf(error)
  // Where there is no room for what stands beside the file, SQLite says no more than that it could not be opened or written.
  const mayBeFull = (code === result.ioError || code === result.cantOpen) && isFull(file)
  return code === result.full || mayBeFull || hasSystemCode(error, 'ENOSPC', 'EDQUOT')
}

function isDenied(error: unknown): boolean {
  const code = resultOf(error)
  const denied = [result.perm, result.readOnly, result.ioError, result.cantOpen]
  return (
    (code !== null && denied.includes(code)) ||
    hasSystemCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR')
  )
}

/** SQLITE_IOERR_READ and SQLITE_IOERR_SHORT_READ: what is copied cannot be read. */
function isReadFailure(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 266 || error.errcode === 522)
}

function isFull(file: string): boolean {
  try {
    return statfsSync(path.dirname(file)).bavail === 0
  } catch {
    return false
  }
}

function resultOf(error: unknown): number | null {
  if (!hasSystemCode(error, 'ERR_SQLITE_ERROR') || !(error instanceof Error)) return null
  // Extended codes keep the primary one in their low byte.
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null
}
