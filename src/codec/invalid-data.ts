import { ChantalError } from '../core/errors.ts'

/** What the bytes of a compressed stream can be wrong in. */
export type DataFault = 'corrupt' | 'truncated' | 'trailing'

const phrases: Readonly<Record<DataFault, (format: string) => string>> = {
  corrupt: (format) => `corrupt ${format} data`,
  truncated: (format) => `truncated ${format} data`,
  trailing: (format) => `garbage after the end of the ${format} data`,
}

/** The error for bytes that are not what their format asks for; `reason` says where or why, if known. */
export function invalidData(
  format: string,
  fault: DataFault,
  reason?: string,
  cause?: unknown,
): ChantalError<'UPSTREAM_INVALID'> {
  const phrase = phrases[fault](format)
  return new ChantalError('UPSTREAM_INVALID', reason === undefined ? phrase : `${phrase}: ${reason}`, {
    cause,
    details: { format, fault },
  })
}
