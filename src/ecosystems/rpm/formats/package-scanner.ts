import { isUtf8 } from 'node:buffer'
import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { notPlain, plainPackageEnd, unfinished } from './plain-package.ts'
import { type RepodataDocument, repodataRoots, rpmNamespace } from './repodata-document.ts'
import { parseDeclaredCount, StrictPackageReader } from './strict-package-reader.ts'

/**
 * The bytes of one `<package …>…</package>`: plain XML as `plain-package.ts` defines it, UTF-8, well formed by itself
 * under the root of {@link repodataHeader}. Verbatim where upstream's document is plain. The scanner never writes to
 * these bytes again, so they stay valid; but they are a window on a larger buffer: copy what is kept.
 */
export type PackageFragment = Buffer

export interface PackageBatch {
  /** The root's `packages="N"`, for the caller to compare and warn; `null` where it says none. */
  readonly declaredCount: number | null
  readonly packages: readonly PackageFragment[]
  /** Where each of them stands among all packages of the document, from 0. */
  readonly indexes: readonly number[]
}

export interface ScanOptions {
  /** In bytes; 64 MiB unless told. Beyond it the document is refused. */
  readonly maxPackageSize?: number
  /**
   * Leaves a package out, by its index and its start tag. In a plain document it is then passed over without being looked into:
   * ten times as fast, for who wants a few of many.
   */
  readonly skips?: (index: number, startTag: string) => boolean
}

/**
 * Streams the packages of a repodata document in its order, a batch at a time; the first batch may be empty. Memory
 * is bounded by the largest package, time is linear in the document.
 *
 * Two readers share the work. The quick one accepts plain documents only and accounts for every byte; at the first
 * byte that it cannot account for (a comment, CDATA, DOCTYPE, other prefixes, single quotes, other encodings, a stray
 * element, damage) the {@link StrictPackageReader} takes over from the end of the last package, under the same root,
 * up to the end. It judges, and gives back plain fragments.
 * @throws ChantalError `UPSTREAM_INVALID` for a document that is malformed, truncated, not UTF-8 where it says so, of
 * another kind, or with a package that is too large
 */
export async function* scanPackages(
  source: ByteSource,
  document: RepodataDocument,
  { maxPackageSize = 64 * 1024 * 1024, skips }: ScanOptions = {},
): AsyncGenerator<PackageBatch> {
  const plain = new PlainScanner(document, skips)
  let strict: StrictPackageReader | null = null
  let pending: Uint8Array[] = []
  let pendingSize = 0
  let tail: Buffer = Buffer.alloc(0)
  let hasPackageEnd = false

  for await (const chunk of source) {
    if (strict !== null) {
      const batch = plain.rest(strict.write(chunk))
      if (batch.packages.length > 0) yield { declaredCount: strict.declaredCount, ...batch }
      continue
    }
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    hasPackageEnd ||= endsPackage(tail, bytes)
    tail = tailOf(tail, bytes)
    pending.push(chunk)
    pendingSize += chunk.length
    if (pendingSize > maxPackageSize + batchSize && !hasPackageEnd) throw tooLarge(document, maxPackageSize)
    if (!hasPackageEnd || pendingSize < batchSize) continue

    const step = plain.scan(Buffer.concat(pending), maxPackageSize)
    if (step.packages.length > 0) yield batchOf(plain, step)
    if (step.isPlain) {
      pending = [step.rest]
      pendingSize = step.rest.length
      hasPackageEnd = false
    } else {
      strict = takeOver(plain, document, maxPackageSize)
      const batch = plain.rest(strict.write(step.rest))
      if (batch.packages.length > 0) yield { declaredCount: strict.declaredCount, ...batch }
    }
  }

  if (strict === null) {
    const step = plain.scan(Buffer.concat(pending), maxPackageSize)
    if (step.packages.length > 0 || plain.isComplete(step.rest)) yield batchOf(plain, step)
    if (plain.isComplete(step.rest)) return
    strict = takeOver(plain, document, maxPackageSize)
    const batch = plain.rest(strict.write(step.rest))
    if (batch.packages.length > 0) yield { declaredCount: strict.declaredCount, ...batch }
  }
  yield { declaredCount: strict.declaredCount, ...plain.rest(strict.end()) }
}

function batchOf({ declaredCount }: PlainScanner, { packages, indexes }: ScanStep): PackageBatch {
  return { declaredCount, packages, indexes }
}

/** Fewer than this are not worth a turn of the event loop. In bytes. */
const batchSize = 256 * 1024

const packageEnd = Buffer.from('</package>')
const overlap = packageEnd.length - 1

/** Whether a package ends in `chunk`, whose stream went before it with `tail`. */
function endsPackage(tail: Buffer, chunk: Buffer): boolean {
  return chunk.includes(packageEnd) || Buffer.concat([tail, chunk.subarray(0, overlap)]).includes(packageEnd)
}

function tailOf(tail: Buffer, chunk: Buffer): Buffer {
  return (chunk.length < overlap ? Buffer.concat([tail, chunk]) : chunk).subarray(-overlap)
}

function takeOver(
  plain: PlainScanner,
  document: RepodataDocument,
  maxPackageSize: number,
): StrictPackageReader {
  const strict = new StrictPackageReader(document, maxPackageSize, plain.prolog === null ? null : 'utf-8')
  if (plain.prolog !== null) strict.write(plain.prolog)
  return strict
}

function tooLarge(document: RepodataDocument, maxPackageSize: number): ChantalError {
  return new ChantalError(
    'UPSTREAM_INVALID',
    `${document}.xml: a package of more than ${maxPackageSize} bytes`,
  )
}

interface ScanStep {
  readonly packages: readonly Buffer[]
  readonly indexes: readonly number[]
  /** `false`: `rest` is for the strict reader. */
  readonly isPlain: boolean
  /** What was not accounted for: an unfinished package, or what is not plain. */
  readonly rest: Buffer
}

class PlainScanner {
  readonly #document: RepodataDocument
  readonly #rootEnd: Buffer
  readonly #skips: ScanOptions['skips']
  /** Packages so far, those left out included. */
  #count = 0
  /** The XML declaration and the root's start tag; `null` until they were read. */
  prolog: Buffer | null = null
  declaredCount: number | null = null

  constructor(document: RepodataDocument, skips: ScanOptions['skips']) {
    this.#document = document
    this.#skips = skips
    this.#rootEnd = Buffer.from(`</${repodataRoots[document].element}>`)
  }

  scan(bytes: Buffer, maxPackageSize: number): ScanStep {
    const packages: Buffer[] = []
    const indexes: number[] = []
    let at = 0
    if (this.prolog === null) {
      const prolog = readProlog(bytes, this.#document)
      if (prolog === null) return { packages, indexes, isPlain: false, rest: bytes }
      this.prolog = Buffer.from(bytes.subarray(0, prolog.end))
      this.declaredCount = prolog.declaredCount
      at = prolog.end
    }
    // Checked once for all packages here. Cut characters at the end belong to a package that is unfinished anyway.
    const lastEnd = bytes.lastIndexOf(packageEnd)
    if (lastEnd >= at && !isUtf8(bytes.subarray(at, lastEnd))) {
      return { packages, indexes, isPlain: false, rest: bytes.subarray(at) }
    }
    for (;;) {
      const start = skipSpace(bytes, at)
      if (start + 1 >= bytes.length || bytes[start + 1] === slash) {
        return { packages, indexes, isPlain: this.#isEnd(bytes, start), rest: bytes.subarray(at) }
      }
      const isSkipped = this.#isSkipped(bytes, start)
      const end = isSkipped ? anyPackageEnd(bytes, start) : plainPackageEnd(bytes, start, this.#document)
      if (end === unfinished || end === notPlain) {
        return { packages, indexes, isPlain: end === unfinished, rest: bytes.subarray(at) }
      }
      if (end - start > maxPackageSize) throw tooLarge(this.#document, maxPackageSize)
      if (!isSkipped) {
        packages.push(bytes.subarray(start, end))
        indexes.push(this.#count)
      }
      this.#count += 1
      at = end
    }
  }

  /** What the strict reader gives goes on where this one stopped. */
  rest(found: readonly Buffer[]): Pick<ScanStep, 'packages' | 'indexes'> {
    const packages: Buffer[] = []
    const indexes: number[] = []
    for (const fragment of found) {
      if (!this.#isSkipped(fragment, 0)) {
        packages.push(fragment)
        indexes.push(this.#count)
      }
      this.#count += 1
    }
    return { packages, indexes }
  }

  /** An unfinished start tag says nothing yet. */
  #isSkipped(bytes: Buffer, start: number): boolean {
    if (!this.#skips || bytes.toString('latin1', start, start + packageStart.length) !== packageStart)
      return false
    const end = bytes.indexOf(tagEnd, start)
    return end > 0 && this.#skips(this.#count, bytes.toString('latin1', start, end + 1))
  }

  /** Whether `rest`, at the end of the source, is the root's end tag and nothing else. */
  isComplete(rest: Buffer): boolean {
    const start = skipSpace(rest, 0)
    return this.prolog !== null && rest.length - start >= this.#rootEnd.length && this.#isEnd(rest, start)
  }

  /** Whether nothing stands from `start` on but the root's end tag, or as much of it as has arrived. */
  #isEnd(bytes: Buffer, start: number): boolean {
    const end = Math.min(start + this.#rootEnd.length, bytes.length)
    const arrived = this.#rootEnd.subarray(0, end - start)
    return bytes.subarray(start, end).equals(arrived) && skipSpace(bytes, end) === bytes.length
  }
}

const slash = 0x2f
const tagEnd = 0x3e
const packageStart = '<package '

/** The end of a package that nobody looks into. Were it not plain, what follows would not be a package: the strict reader judges. */
function anyPackageEnd(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(packageEnd, start)
  return end < 0 ? unfinished : end + packageEnd.length
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x09) at += 1
  return at
}

const declaration =
  /^(?:<\?xml version="1\.0"(?: encoding="[Uu][Tt][Ff]-8")?(?: standalone="(?:yes|no)")?[ \t]*\?>)?/
const rootStart = /^[ \t\n]*<([A-Za-z_.-]+)((?:[ \t\n]+[A-Za-z:_-]+="[^"<>&\t\n]*")*)[ \t\n]*>/
const rootAttribute = /([A-Za-z:_-]+)="([^"]*)"/g

/** The document's start, where it is as createrepo_c writes it; `null` leaves it to the strict reader. */
function readProlog(
  bytes: Buffer,
  document: RepodataDocument,
): { readonly end: number; readonly declaredCount: number | null } | null {
  const text = bytes.toString('latin1', 0, 4096)
  const declared = declaration.exec(text)?.[0] ?? ''
  const root = rootStart.exec(text.slice(declared.length))
  const { element, namespace } = repodataRoots[document]
  if (root === null || root[1] !== element) return null
  const attributes = new Map<string, string>()
  for (const [, name = '', value = ''] of (root[2] ?? '').matchAll(rootAttribute)) {
    if (attributes.has(name)) return null
    attributes.set(name, value)
  }
  for (const [name, value] of attributes) {
    const isExpected =
      (name === 'packages' && parseDeclaredCount(value) !== null) ||
      (name === 'xmlns' && value === namespace) ||
      (name === 'xmlns:rpm' && value === rpmNamespace)
    if (!isExpected) return null
  }
  if (!attributes.has('xmlns') || (document === 'primary' && !attributes.has('xmlns:rpm'))) return null
  return {
    end: declared.length + root[0].length,
    declaredCount: parseDeclaredCount(attributes.get('packages')),
  }
}
