import { ChantalError } from './errors.ts'
import type { RelativePath } from './path.ts'

/**
 * `ALREADY_EXISTS` for two things that are to stand at one place of a published tree. Upstream lists both, or names a file as one that a
 * generated tree has of its own.
 */
export function pathTaken(path: RelativePath | string, isFolder: boolean, cause?: unknown): ChantalError {
  const what = isFolder ? 'both a file and a folder' : 'two different files for one published path'
  return new ChantalError('ALREADY_EXISTS', `${what}: ${path}`, {
    cause,
    hint: 'Leave one of the two out by `filters`, sync and publish again; tell upstream.',
    details: { path },
  })
}
