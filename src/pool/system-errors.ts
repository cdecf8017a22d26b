import { ChantalError, hasSystemCode } from '../core/errors.ts'

/** What the disk refused, as a user's error; anything else unchanged. */
export function explainDiskError(error: unknown, path: string): unknown {
  if (hasSystemCode(error, 'ENOSPC', 'EDQUOT')) {
    return new ChantalError('DISK_FULL', `no space left on the disk that holds ${path}`, {
      cause: error,
      hint: 'Free space with `chantal pool gc`, or enlarge the disk; then run the command again.',
      details: { path },
    })
  }
  if (hasSystemCode(error, 'EACCES', 'EROFS', 'EPERM')) {
    return new ChantalError('NOT_WRITABLE', `not allowed to write ${path}`, {
      cause: error,
      hint: 'Run as the user who owns the storage folders, and check that the disk is mounted writable.',
      details: { path },
    })
  }
  return error
}
