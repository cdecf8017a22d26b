/**
 * Orders whole `epoch:version-revision` strings as dpkg does. A missing epoch is 0, a missing revision equals `0`; an empty string
 * sorts before everything. What dpkg would refuse is ordered too: an epoch that is no number belongs to the version. Strings that
 * differ may be equal (`1.0` and `0:1.00-0`). Never throws.
 * @returns -1, 0 or 1
 * @see Debian Policy 5.6.12; dpkg, lib/dpkg/version.c and parsehelp.c
 */
export function compareDebVersions(a: string, b: string): number {
  if (a === b) return 0
  const [left, right] = [a.trim(), b.trim()]
  if (left === '' || right === '') return Number(left !== '') - Number(right !== '')
  const [x, y] = [splitVersion(left), splitVersion(right)]
  return (
    compareDigits(x.epoch, y.epoch) ||
    compareParts(x.version, y.version) ||
    compareParts(x.revision, y.revision)
  )
}

interface Parts {
  readonly epoch: string
  readonly version: string
  readonly revision: string
}

/** The epoch ends at the first `:`, the revision begins after the last `-`. */
function splitVersion(text: string): Parts {
  const [, digits] = /^(\d+):/.exec(text) ?? []
  const start = digits === undefined ? 0 : digits.length + 1
  const dash = text.lastIndexOf('-')
  const end = dash < start ? text.length : dash
  return { epoch: digits ?? '0', version: text.slice(start, end), revision: text.slice(end + 1) }
}

/** Runs of other characters than digits and runs of digits, in turns. Linear in the shorter text. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const [left, right] = [weight(a, i), weight(b, j)]
      if (left !== right) return left < right ? -1 : 1
      i += 1
      j += 1
    }
    const [leftEnd, rightEnd] = [endOfDigits(a, i), endOfDigits(b, j)]
    const order = compareDigits(a.slice(i, leftEnd), b.slice(j, rightEnd))
    if (order !== 0) return order
    i = leftEnd
    j = rightEnd
  }
  return 0
}

/** `~` sorts before the end, the end (or a digit) before letters, letters before all else. */
function weight(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0
  const code = text.charCodeAt(at)
  if (code === tilde) return -1
  return isLetter(code) ? code : code + beyondLetters
}

const tilde = 0x7e
const beyondLetters = 256

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}

function endOfDigits(text: string, from: number): number {
  let at = from
  while (isDigit(text, at)) at += 1
  return at
}

/** By value at any length: without leading zeros, more digits are a larger number. */
function compareDigits(a: string, b: string): -1 | 0 | 1 {
  const left = a.slice(leadingZeros(a))
  const right = b.slice(leadingZeros(b))
  if (left.length !== right.length) return left.length < right.length ? -1 : 1
  if (left === right) return 0
  return left < right ? -1 : 1
}

function leadingZeros(digits: string): number {
  let at = 0
  while (digits.charCodeAt(at) === 0x30) at += 1
  return at
}
