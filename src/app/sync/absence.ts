import { type ChantalError, isChantalError } from '../../core/errors.ts'

/** Whether upstream does not have a file: 404, 410, or 403, as object stores answer for what is not there where listing is not allowed. */
export function isAbsent(error: unknown): error is ChantalError {
  return isChantalError(error, 'NOT_FOUND') || isForbidden(error)
}

function isForbidden(error: unknown): boolean {
  return isChantalError(error, 'UPSTREAM_REFUSED') && error.details['status'] === 403
}

/**
 * Whether some of several mirrors do not have a file, and the others gave no answer worth having. Lists of mirrors are long, and one of them is
 * always down: what none of them has would otherwise end every sync.
 */
export function isAbsentAtSome(error: unknown): boolean {
  if (!isChantalError(error, 'UPSTREAM_UNREACHABLE', 'UPSTREAM_REFUSED')) return false
  const { mirrors_without: without } = error.details
  return Array.isArray(without) && without.length > 0
}
