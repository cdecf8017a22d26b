import { type ChantalError, isChantalError } from '../../core/errors.ts'

/** Whether upstream does not have a file: 404, 410, or 403, as object stores answer for what is not there where listing is not allowed. */
export function isAbsent(error: unknown): error is ChantalError {
  return isChantalError(error, 'NOT_FOUND') || isForbidden(error)
}

function isForbidden(error: unknown): boolean {
  return isChantalError(error, 'UPSTREAM_REFUSED') && error.details['status'] === 403
}
