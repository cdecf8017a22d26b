/** A version as rpm splits it. Missing parts: no epoch is `'0'`; no release is `null`. */
export interface Evr {
  readonly epoch: string
  readonly version: string
  readonly release: string | null
}

/**
 * Orders whole `epoch:version-release` strings as rpm's `rpmverCmp` does. A missing epoch is 0. A missing release
 * sorts before every release: rpm ignores it only where a dependency's range is matched, and "equal to all" is no
 * order to sort by. Strings that differ may be equal (`1.0` and `1_0`). Never throws.
 */
export function compareRpmVersions(a: string, b: string): number {
  if (a === b) return 0
  const left = parseEvr(a)
  const right = parseEvr(b)
  return (
    rpmvercmp(left.epoch, right.epoch) ||
    rpmvercmp(left.version, right.version) ||
    compareReleases(left.release, right.release)
  )
}

/** Splits as rpm's `parseEVR` does: digits before the first `:` are the epoch, the release follows the last `-`. */
export function parseEvr(evr: string): Evr {
  let digits = 0
  while (isDigit(evr.charCodeAt(digits))) digits += 1
  const hasEpoch = evr.charCodeAt(digits) === colon
  const epoch = hasEpoch && digits > 0 ? evr.slice(0, digits) : '0'
  const start = hasEpoch ? digits + 1 : 0
  const dash = evr.lastIndexOf('-')
  if (dash < start) return { epoch, version: evr.slice(start), release: null }
  return { epoch, version: evr.slice(start, dash), release: evr.slice(dash + 1) }
}

/**
 * Orders one version or one release, segment by segment, as rpm 4.18's `rpmvercmp`: runs of digits by value, runs of
 * ASCII letters by byte, numbers above letters; `~` sorts before the end, `^` after the end and before anything else.
 * Every other character, non-ASCII included, only separates. Never throws; linear in the shorter string.
 * @returns -1, 0 or 1
 */
export function rpmvercmp(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    i = skipSeparators(a, i)
    j = skipSeparators(b, j)
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(j)
    if (left === tilde || right === tilde) {
      if (left !== tilde) return 1
      if (right !== tilde) return -1
      i += 1
      j += 1
      continue
    }
    if (left === caret || right === caret) {
      if (i === a.length) return -1
      if (j === b.length) return 1
      if (left !== caret) return 1
      if (right !== caret) return -1
      i += 1
      j += 1
      continue
    }
    if (i === a.length || j === b.length) break
    if (isDigit(left) !== isDigit(right)) return isDigit(left) ? 1 : -1
    const inSegment = isDigit(left) ? isDigit : isLetter
    const leftEnd = segmentEnd(a, i, inSegment)
    const rightEnd = segmentEnd(b, j, inSegment)
    const order = isDigit(left)
      ? compareDigits(a.slice(i, leftEnd), b.slice(j, rightEnd))
      : compareText(a.slice(i, leftEnd), b.slice(j, rightEnd))
    if (order !== 0) return order
    i = leftEnd
    j = rightEnd
  }
  if (i === a.length && j === b.length) return 0
  return i === a.length ? -1 : 1
}

const colon = 0x3a
const tilde = 0x7e
const caret = 0x5e

function compareReleases(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  return rpmvercmp(a, b)
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

function skipSeparators(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (isDigit(code) || isLetter(code) || code === tilde || code === caret) break
    at += 1
  }
  return at
}

function segmentEnd(text: string, from: number, inSegment: (code: number) => boolean): number {
  let at = from
  while (at < text.length && inSegment(text.charCodeAt(at))) at += 1
  return at
}

/** By value at any length: without leading zeros, more digits are a larger number. */
function compareDigits(a: string, b: string): -1 | 0 | 1 {
  const left = a.slice(leadingZeros(a))
  const right = b.slice(leadingZeros(b))
  if (left.length !== right.length) return left.length < right.length ? -1 : 1
  return compareText(left, right)
}

function leadingZeros(digits: string): number {
  let at = 0
  while (digits.charCodeAt(at) === 0x30) at += 1
  return at
}

function compareText(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0
  return a < b ? -1 : 1
}
