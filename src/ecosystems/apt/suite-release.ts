import { isSameText, splitCleartextMessage } from '../../codec/cleartext-message.ts'
import type { Json } from '../../core/brand.ts'
import { ChantalError } from '../../core/errors.ts'
import type { SignedBy } from '../../sign/verifier.ts'
import type { FetchedFile, ReadRequest } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { parseRelease, type Release } from './formats/release.ts'
import type { AptOptions, DebFilters } from './options.ts'
import { inSuite, type SuitePlace } from './suites.ts'

export type AptReadRequest = ReadRequest<AptOptions, DebFilters, AptAttributes>

/** The files under fixed names that a suite begins with, as they are upstream now. */
export interface SuiteDocuments {
  readonly place: SuitePlace
  /** `null` where upstream has none; then there is a `release`. */
  readonly inRelease: FetchedFile | null
  /** Looked for only where there is no `inRelease`. */
  readonly release: FetchedFile | null
  readonly signature: FetchedFile | null
}

/** What a suite's Release file says, after its signature and its dates were checked. */
export interface SuiteRelease {
  readonly place: SuitePlace
  readonly release: Release
  /** Upstream's InRelease, Release and Release.gpg, of one state. The first is the one that was read. */
  readonly documents: readonly [FetchedFile, ...FetchedFile[]]
  readonly signedBy: SignedBy | null
}

/** What was seen of a suite the last time. Digests are SHA-256, `null` where there was no such file, or none was noted. */
export interface SeenSuite {
  readonly inRelease: string | null
  readonly release: string | null
  readonly signature: string | null
  /** Of the Release file; `null` where it has none. */
  readonly date: Date | null
  readonly validUntil: Date | null
}

/**
 * Asks for a suite's documents: InRelease, which is one file and cannot be torn; Release and its signature where there is none.
 * @throws ChantalError `UPSTREAM_INVALID` where there is neither, and what `metadata.fetch` throws
 */
export async function fetchSuiteDocuments(
  request: AptReadRequest,
  place: SuitePlace,
  seen: SeenSuite | null,
): Promise<SuiteDocuments> {
  const fetch = documentFetcher(request, place)
  // An upstream that had no InRelease gets one when something changes: one request less while nothing does.
  if (seen && seen.inRelease === null) {
    const [release, signature] = await Promise.all([fetch('Release'), fetch('Release.gpg')])
    const documents = { place, inRelease: null, release, signature }
    if (isAsSeen(documents, seen)) return documents
  }
  const inRelease = await fetch('InRelease')
  if (inRelease) return { place, inRelease, release: null, signature: null }
  const [release, signature] = await Promise.all([fetch('Release'), fetch('Release.gpg')])
  if (!release) {
    throw new ChantalError('UPSTREAM_INVALID', `suite ${place.suite} has neither InRelease nor Release`, {
      hint: 'Check the feed and `apt.suites`: the feed ends where `dists` lies; a flat repository is a suite with a slash at its end.',
      details: { suite: place.suite, path: inSuite(place, 'InRelease') },
    })
  }
  return { place, inRelease, release, signature }
}

export function isAsSeen({ inRelease, release, signature }: SuiteDocuments, seen: SeenSuite): boolean {
  return (
    (inRelease?.digest ?? null) === seen.inRelease &&
    (release?.digest ?? null) === seen.release &&
    (signature?.digest ?? null) === seen.signature
  )
}

/**
 * Reads what the documents say: signature first, and of what it covers alone. A signature that is not good is an error, and no
 * reason to look for another document.
 * @param newest the date of the newest state of this suite that was seen
 * @throws ChantalError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `UPSTREAM_INVALID`, `UPSTREAM_STALE`
 */
export async function readSuiteRelease(
  request: AptReadRequest,
  documents: SuiteDocuments,
  newest: Date | null,
): Promise<SuiteRelease> {
  const { place } = documents
  const { text, by } = await verifiedText(request, documents)
  const release = parseRelease(text, inSuite(place, documents.inRelease ? 'InRelease' : 'Release'))
  if (request.options.check_date) refuseUnreadableDate(release, place)
  checkDates(request, place, { date: release.date, validUntil: release.validUntil }, newest)
  const { inRelease } = documents
  const others = [documents.release, documents.signature].filter((file) => file !== null)
  const [first, ...rest] = inRelease
    ? [inRelease, ...(await readTwins(request, { place, inRelease, text }))]
    : others
  if (!first) throw new Error('a suite without a document')
  return { place, release, documents: [first, ...rest], signedBy: by }
}

/**
 * A date that cannot be read would pass every check of it without a word. apt warns of it and goes on, so `check_date` decides.
 * @throws ChantalError `UPSTREAM_INVALID`
 */
function refuseUnreadableDate(release: Release, { suite }: SuitePlace): void {
  const written = release.get('Date') || null
  if (written === null || release.date) return
  const shown = written.slice(0, 100)
  throw new ChantalError(
    'UPSTREAM_INVALID',
    `the Date in the Release file of ${suite} cannot be read: ${JSON.stringify(shown)}`,
    {
      hint: 'Upstream has to write it as `Sat, 21 Nov 2026 00:53:02 UTC`; `apt.check_date: false` takes any date.',
      details: { suite, date: shown },
    },
  )
}

/**
 * Holds dates against the clock and against what was seen before: an old state that is shown again is as well signed as it was.
 * @throws ChantalError `UPSTREAM_STALE`, `UPSTREAM_INVALID` for a date in the future
 */
export function checkDates(
  { options, now }: AptReadRequest,
  { suite }: SuitePlace,
  { date, validUntil }: Pick<SeenSuite, 'date' | 'validUntil'>,
  newest: Date | null,
): void {
  if (options.check_valid_until && validUntil && validUntil < now) {
    throw new ChantalError(
      'UPSTREAM_STALE',
      `the Release file of ${suite} expired at ${validUntil.toISOString()}`,
      {
        hint: 'Upstream or its mirror is not kept up any more, or somebody shows an old state. To take it all the same: `apt.check_valid_until: false`.',
        details: { suite, valid_until: validUntil.toISOString() },
      },
    )
  }
  if (!options.check_date || !date) return
  if (date.getTime() > now.getTime() + clockToleranceMs) {
    throw new ChantalError(
      'UPSTREAM_INVALID',
      `the Release file of ${suite} is of the future: ${date.toISOString()}`,
      {
        hint: 'Compare the clocks of this machine and of upstream; `apt.check_date: false` takes any date.',
        details: { suite, date: date.toISOString() },
      },
    )
  }
  if (newest && date < newest) {
    throw new ChantalError(
      'UPSTREAM_STALE',
      `the Release file of ${suite} is of ${date.toISOString()}, older than what was seen before, of ${newest.toISOString()}`,
      {
        hint: 'A mirror that lags behind catches up by itself. If upstream was set back on purpose: `apt.check_date: false`.',
        details: { suite, date: date.toISOString(), seen: newest.toISOString() },
      },
    )
  }
}

/** Clocks differ by so much without anybody minding. */
const clockToleranceMs = 5 * 60_000

async function verifiedText(
  { verifier }: AptReadRequest,
  { place, inRelease, release, signature }: SuiteDocuments,
): Promise<{ readonly text: string; readonly by: SignedBy | null }> {
  if (inRelease) {
    const message = await inRelease.bytes()
    return verifier
      ? await (await verifier()).cleartext(message)
      : { text: splitCleartextMessage(message).text, by: null }
  }
  if (!release) throw new Error('a suite without a document')
  const bytes = await release.bytes()
  const text = Buffer.from(bytes).toString('utf8')
  if (!verifier) return { text, by: null }
  if (!signature || signature.size === 0) {
    throw new ChantalError(
      'SIGNATURE_MISSING',
      `upstream has no signature of suite ${place.suite}: ${inSuite(place, 'Release.gpg')}`,
      {
        hint: 'Set `verify.metadata: off` for this repository if its owner signs no metadata.',
        details: { suite: place.suite, path: inSuite(place, 'Release.gpg') },
      },
    )
  }
  return { text, by: await (await verifier()).detached(bytes, await signature.bytes()) }
}

/**
 * Release and its signature beside an InRelease, which old clients ask for. Of another state they would contradict it.
 * @throws ChantalError `UPSTREAM_INVALID` where they are newer because upstream has just moved on
 */
async function readTwins(
  request: AptReadRequest,
  {
    place,
    inRelease,
    text: signedText,
  }: { readonly place: SuitePlace; readonly inRelease: FetchedFile; readonly text: string },
): Promise<readonly FetchedFile[]> {
  if (request.mode !== 'mirror') return []
  const fetch = documentFetcher(request, place)
  const isGuess = true
  const [release, signature] = await Promise.all([
    fetch('Release', { isGuess }),
    fetch('Release.gpg', { isGuess }),
  ])
  if (!release) return []
  // A character takes a byte or more: of a file with fewer bytes nothing need be read.
  const canFit = release.size >= signedText.trimEnd().length
  if (canFit && isSameText(Buffer.from(await release.bytes()).toString('utf8'), signedText))
    return [release, signature].filter((file) => file !== null)
  const current = await fetch('InRelease')
  if (current?.digest !== inRelease.digest) {
    throw new ChantalError('UPSTREAM_INVALID', `suite ${place.suite} changed while it was read`, {
      hint: 'Try again later: upstream is between two updates.',
      details: { suite: place.suite },
    })
  }
  request.reporter.report({
    type: 'warning',
    code: 'METADATA_DROPPED',
    message: `${inSuite(place, 'Release')} says other things than InRelease and is left out`,
  })
  return []
}

function documentFetcher({ metadata, limits }: AptReadRequest, place: SuitePlace) {
  return (name: string, terms?: { readonly isGuess: boolean }) =>
    metadata.fetchOptional(inSuite(place, name), { checksums: [], maxSize: limits.rootDocument }, terms)
}

/** For the checkpoint. */
export function seenJson({ inRelease, release, signature }: SuiteDocuments, said: Release): Json {
  return {
    in_release: inRelease?.digest ?? null,
    release: release?.digest ?? null,
    signature: signature?.digest ?? null,
    date: said.date?.toISOString() ?? null,
    valid_until: said.validUntil?.toISOString() ?? null,
  }
}

/** `null` for a note by a program that noted other things. */
export function parseSeen(json: Json | undefined): SeenSuite | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null
  const fields = json as { readonly [key: string]: Json }
  const text = (name: string) => {
    const value = fields[name]
    return typeof value === 'string' ? value : null
  }
  const date = (name: string) => {
    const value = new Date(text(name) ?? '')
    return Number.isNaN(value.getTime()) ? null : value
  }
  return {
    inRelease: text('in_release'),
    release: text('release'),
    signature: text('signature'),
    date: date('date'),
    validUntil: date('valid_until'),
  }
}
