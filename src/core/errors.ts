/** How the outer layers treat an error: process exit status, HTTP status, whether trying again can help. */
export interface ErrorTraits {
  readonly exit: number
  readonly http: number
  readonly retry: boolean
}

/**
 * Every error a user can meet. Codes are API: never reuse or rename one.
 * docs/errors.md explains each; a test keeps the two lists equal.
 */
export const errorTraits = {
  INTERNAL: { exit: 1, http: 500, retry: false },
  USAGE_INVALID: { exit: 2, http: 400, retry: false },
  CONFIG_INVALID: { exit: 2, http: 422, retry: false },
  CONFIG_MISSING: { exit: 2, http: 422, retry: false },
  CATALOG_TOO_NEW: { exit: 2, http: 500, retry: false },
  IMPORT_INVALID: { exit: 2, http: 422, retry: false },
  NOT_FOUND: { exit: 3, http: 404, retry: false },
  ALREADY_EXISTS: { exit: 4, http: 409, retry: false },
  SEVERAL_FAILED: { exit: 10, http: 502, retry: false },
  LEASE_HELD: { exit: 11, http: 409, retry: true },
  LEASE_LOST: { exit: 11, http: 503, retry: true },
  PATH_HELD: { exit: 12, http: 409, retry: false },
  UPSTREAM_UNREACHABLE: { exit: 20, http: 502, retry: true },
  UPSTREAM_REFUSED: { exit: 21, http: 502, retry: false },
  UPSTREAM_INVALID: { exit: 22, http: 502, retry: false },
  UPSTREAM_STALE: { exit: 23, http: 502, retry: true },
  CHECKSUM_MISMATCH: { exit: 30, http: 502, retry: true },
  CHECKSUM_MISSING: { exit: 30, http: 502, retry: false },
  SIZE_LIMIT: { exit: 31, http: 502, retry: false },
  SIGNATURE_MISSING: { exit: 32, http: 502, retry: false },
  SIGNATURE_INVALID: { exit: 33, http: 502, retry: false },
  DIGEST_INVALID: { exit: 34, http: 422, retry: false },
  PATH_UNSAFE: { exit: 35, http: 422, retry: false },
  BLOB_MISSING: { exit: 40, http: 500, retry: false },
  POOL_UNMARKED: { exit: 40, http: 500, retry: false },
  BLOB_CORRUPT: { exit: 41, http: 500, retry: false },
  CATALOG_CORRUPT: { exit: 41, http: 500, retry: false },
  SYNC_INCOMPLETE: { exit: 50, http: 502, retry: true },
  SIGNING_FAILED: { exit: 60, http: 500, retry: false },
  DISK_FULL: { exit: 70, http: 507, retry: true },
  NOT_WRITABLE: { exit: 70, http: 500, retry: false },
  CATALOG_UNAVAILABLE: { exit: 70, http: 503, retry: true },
  INTERRUPTED: { exit: 130, http: 499, retry: true },
} as const satisfies Record<string, ErrorTraits>

export type ErrorCode = keyof typeof errorTraits

export interface ErrorOptions {
  /** One imperative sentence a user can act on: "Add the key to verify.keys." */
  readonly hint?: string
  readonly cause?: unknown
  /** Machine-readable facts (url, path, expected, actual). Secrets never go here. */
  readonly details?: Readonly<Record<string, string | number | boolean | null | readonly string[]>>
}

/** An error that reaches a user. A programming mistake stays a plain `Error` and is a bug. */
export class ChantalError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ChantalError'
  readonly code: Code
  readonly hint: string | undefined
  readonly details: NonNullable<ErrorOptions['details']>

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }

  get traits(): ErrorTraits {
    return errorTraits[this.code]
  }
}

/** Whether `error` is a user's error with one of `codes`. */
export function isChantalError<Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is ChantalError<Code> {
  return (
    error instanceof ChantalError &&
    (codes.length === 0 || (codes as readonly ErrorCode[]).includes(error.code))
  )
}

/** Whether `error` is the operating system's, with one of `codes` (`ENOENT`, `EEXIST`, ...). */
export function hasSystemCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
