import type { ErrorCode } from '../core/errors.ts'
import { ChantalError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import { displayUrl } from './display-url.ts'

/**
 * So many mirrors of one repository are kept; the rest of a list is not used. Fedora's, the longest there are, name some hundreds. A list is
 * read before anything vouches for it: without a bound, whoever answers for it decides how much memory it takes, and how long a file
 * that no mirror has is looked for.
 */
export const mostMirrors = 1000

/** As another thread can go on with it. */
export interface MirrorsState {
  /** URLs in the order in which they are asked. */
  readonly order: readonly string[]
  /** What was said already. */
  readonly warned: readonly string[]
}

/** Mirrors of one repository in the order in which they are asked. The order is shared by all its downloads. */
export class Mirrors {
  readonly #repository: string
  readonly #reporter: Reporter
  readonly #warned = new Set<string>()
  #order: readonly URL[]

  constructor(urls: readonly URL[], repository: string, reporter: Reporter) {
    this.#order = urls
    this.#repository = repository
    this.#reporter = reporter
  }

  state(): MirrorsState {
    return { order: this.#order.map(({ href }) => href), warned: [...this.#warned] }
  }

  /** Goes on from where another thread left it. */
  adopt({ order, warned }: MirrorsState): void {
    this.#order = order.map((url) => new URL(url))
    for (const key of warned) this.#warned.add(key)
  }

  /** As it is now; a later change does not show in it. */
  inOrder(): readonly URL[] {
    return this.#order
  }

  /** Puts a mirror that failed at the end and says so, once for each mirror. A single mirror has no other to make way for. */
  demote(mirror: URL, error: ChantalError): void {
    if (this.#order.length < 2) return
    this.#moveToEnd(mirror)
    this.#warn('MIRROR_FAILED', mirror, `mirror ${displayUrl(mirror)} failed: ${error.message}`)
  }

  /** Puts a mirror that serves an old state at the end and says so, once for each mirror. */
  demoteStale(mirror: URL, reason: string): void {
    this.#moveToEnd(mirror)
    this.#warn('MIRROR_STALE', mirror, `mirror ${displayUrl(mirror)} is stale: ${reason}`)
  }

  /**
   * Puts first a mirror whose old metadata is used, as no mirror has newer: the packages that it lists are there.
   * Says so, although the mirror was named as stale before: this one is what the repository will hold.
   */
  acceptStale(mirror: URL, reason: string): void {
    this.#order = [mirror, ...this.#order.filter((other) => other !== mirror)]
    this.#report('MIRROR_STALE', `mirror ${displayUrl(mirror)} is used although it is stale: ${reason}`)
  }

  #moveToEnd(mirror: URL): void {
    this.#order = [...this.#order.filter((other) => other !== mirror), mirror]
  }

  #warn(code: 'MIRROR_FAILED' | 'MIRROR_STALE', mirror: URL, message: string): void {
    const key = `${code} ${mirror.href}`
    if (this.#warned.has(key)) return
    this.#warned.add(key)
    this.#report(code, message)
  }

  #report(code: 'MIRROR_FAILED' | 'MIRROR_STALE', message: string): void {
    this.#reporter.report({ type: 'warning', code, message, repository: this.#repository })
  }
}

/** What a mirror answered last, for good. */
export interface MirrorFailure {
  readonly mirror: URL
  readonly error: ChantalError
}

/** Most telling first: wrong bytes say more than a refusal, and that more than silence. */
const telling: readonly ErrorCode[] = [
  'CHECKSUM_MISMATCH',
  'SIZE_LIMIT',
  'UPSTREAM_STALE',
  'UPSTREAM_INVALID',
  'PATH_UNSAFE',
  'UPSTREAM_REFUSED',
  'UPSTREAM_UNREACHABLE',
  'NOT_FOUND',
]

/** Mirrors that one error names. A sync holds the errors of all its files to its end, and a list may have {@link mostMirrors}. */
const named = 20

/** The one error of a file that every mirror failed on: `NOT_FOUND` only where all of them said so. */
export function mostTelling(failures: readonly [MirrorFailure, ...MirrorFailure[]]): ChantalError {
  const [first, ...others] = [...failures].sort((a, b) => rank(a.error.code) - rank(b.error.code))
  const { error } = first ?? failures[0]
  if (!others || others.length === 0) return error
  return new ChantalError(error.code, `${error.message}; ${others.length} more mirrors failed`, {
    cause: error,
    details: {
      ...error.details,
      mirrors: failures
        .slice(0, named)
        .map((failure) => `${displayUrl(failure.mirror)}: ${failure.error.message}`),
      mirrors_without: failures
        .filter(({ error: { code } }) => code === 'NOT_FOUND')
        .slice(0, named)
        .map(({ mirror }) => displayUrl(mirror)),
    },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

function rank(code: ErrorCode): number {
  const place = telling.indexOf(code)
  return place < 0 ? -1 : place
}
