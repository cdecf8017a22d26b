import { isUtf8 } from 'node:buffer'
import type { RepodataDocument } from './repodata-document.ts'

/**
 * Plain XML is the part of XML 1.0 that createrepo_c writes and nothing more: elements and double-quoted attributes
 * with ASCII names, text, the five predefined entities and character references. No comment, CDATA section,
 * processing instruction, namespace declaration or prefix (but `rpm:` in primary, and `xml:base`); no raw `>`, tab or
 * line feed in an attribute, no carriage return; no element named `package` within a package.
 *
 * Whatever is accepted here is well formed by itself under the document's usual root, and a `<` in it always starts a
 * tag, a `>` that follows ends it. So a fragment that we embed in a document we sign can open or close nothing
 * outside itself, and hand-written readers may rely on it. Everything else is not guessed at: it is refused here.
 */

/** The bytes ended before the package did. */
export const unfinished = -2

/** Not plain: malformed, or XML that needs the strict parser. */
export const notPlain = -1

/** Levels of elements, and attributes of one element; createrepo_c needs four and six. */
const maxDepth = 16
const maxAttributes = 16

/**
 * Checks one package, byte by byte. UTF-8 is not checked: see {@link isPlainPackage}.
 * @param start of `<package`
 * @returns the index after `</package>`, {@link unfinished} or {@link notPlain}
 */
export function plainPackageEnd(bytes: Uint8Array, start: number, document: RepodataDocument): number {
  const end = bytes.length
  const nameStarts: number[] = []
  const nameEnds: number[] = []
  let at = start
  for (;;) {
    // One turn reads a tag, which starts at `at`, and the text behind it.
    if (at + 1 >= end) return unfinished
    if (bytes[at] !== lessThan) return notPlain
    if (bytes[at + 1] === slash) {
      const nameStart = nameStarts.pop()
      const nameEnd = nameEnds.pop()
      if (nameStart === undefined || nameEnd === undefined) return notPlain
      at += 2
      for (let i = nameStart; i < nameEnd; i += 1, at += 1) {
        if (at >= end) return unfinished
        if (bytes[at] !== bytes[i]) return notPlain
      }
      if (at >= end) return unfinished
      if (bytes[at] !== greaterThan) return notPlain
      at += 1
    } else {
      const nameStart = at + 1
      let nameEnd = endOfName(bytes, nameStart)
      if (nameEnd === nameStart) return notPlain
      if (bytes[nameEnd] === colon) {
        if (document !== 'primary' || nameEnd - nameStart !== 3 || !hasText(bytes, nameStart, 'rpm'))
          return notPlain
        const localStart = nameEnd + 1
        nameEnd = endOfName(bytes, localStart)
        if (nameEnd === localStart) return nameEnd >= end ? unfinished : notPlain
      } else if (isPackageName(bytes, nameStart, nameEnd) !== (nameStarts.length === 0)) {
        return nameEnd >= end ? unfinished : notPlain
      }
      at = endOfAttributes(bytes, nameEnd)
      if (at < 0) return at
      const isEmpty = bytes[at] === slash
      if (isEmpty) {
        at += 1
        if (at >= end) return unfinished
      }
      if (bytes[at] !== greaterThan) return notPlain
      at += 1
      // An empty package says nothing; the strict parser may say why it is there.
      if (isEmpty && nameStarts.length === 0) return notPlain
      if (!isEmpty) {
        if (nameStarts.length === maxDepth) return notPlain
        nameStarts.push(nameStart)
        nameEnds.push(nameEnd)
      }
    }
    if (nameStarts.length === 0) return at

    for (;;) {
      while (at < end && byteClass[bytes[at] ?? 0] === plainText) at += 1
      if (at >= end) return unfinished
      const byte = bytes[at]
      if (byte === lessThan) break
      at =
        byte === greaterThan || byte === quote || byte === lineFeed || byte === tab
          ? at + 1
          : endOfSpecial(bytes, at)
      if (at < 0) return at
    }
  }
}

/** Whether the bytes are exactly one plain package in UTF-8: what may be embedded under our own root. */
export function isPlainPackage(fragment: Uint8Array, document: RepodataDocument): boolean {
  return isUtf8(fragment) && plainPackageEnd(fragment, 0, document) === fragment.length
}

const tab = 0x09
const lineFeed = 0x0a
const space = 0x20
const quote = 0x22
const hash = 0x23
const ampersand = 0x26
const slash = 0x2f
const colon = 0x3a
const semicolon = 0x3b
const lessThan = 0x3c
const equals = 0x3d
const greaterThan = 0x3e
const closingBracket = 0x5d

const plainText = 1
/** Needs a look: it ends the run, starts a tag, an entity, `]]>`, or may be U+FFFE and U+FFFF. */
const special = 0

/** Per byte: whether text and attribute values may hold it without a look. */
const byteClass = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < space || '<>&"]'.includes(String.fromCharCode(byte)) || byte === 0xef ? special : plainText,
)

const nameCharacter = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x80 && /[A-Za-z0-9_.-]/.test(String.fromCharCode(byte)) ? 1 : 0,
)

function endOfName(bytes: Uint8Array, start: number): number {
  const first = bytes[start] ?? 0
  // `-`, `.` and digits may not come first.
  if (nameCharacter[first] !== 1 || first < 0x41) return start
  let at = start + 1
  while (nameCharacter[bytes[at] ?? 0] === 1) at += 1
  return at
}

function hasText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[start + i] !== text.charCodeAt(i)) return false
  }
  return true
}

function isPackageName(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 7 && hasText(bytes, start, 'package')
}

/** From behind an element's name to its `/` or `>`, or a negative outcome. */
function endOfAttributes(bytes: Uint8Array, from: number): number {
  const end = bytes.length
  const names: number[] = []
  let at = from
  for (;;) {
    const gap = at
    while (bytes[at] === space || bytes[at] === lineFeed || bytes[at] === tab) at += 1
    if (at >= end) return unfinished
    if (bytes[at] === greaterThan || bytes[at] === slash) return at
    if (at === gap || names.length === 2 * maxAttributes) return notPlain
    const nameStart = at
    at = endOfName(bytes, nameStart)
    if (at === nameStart) return notPlain
    if (bytes[at] === colon) {
      at = endOfName(bytes, at + 1)
      const isWhole = at < end
      if (isWhole && (at - nameStart !== 8 || !hasText(bytes, nameStart, 'xml:base'))) return notPlain
    } else if (at - nameStart === 5 && hasText(bytes, nameStart, 'xmlns')) {
      return notPlain
    }
    if (at + 1 >= end) return unfinished
    if (bytes[at] !== equals || bytes[at + 1] !== quote || hasName(bytes, names, nameStart, at))
      return notPlain
    names.push(nameStart, at)
    at += 2
    for (;;) {
      while (at < end && byteClass[bytes[at] ?? 0] === plainText) at += 1
      if (at >= end) return unfinished
      const byte = bytes[at]
      if (byte === quote) break
      if (byte === lessThan || byte === greaterThan) return notPlain
      at = endOfSpecial(bytes, at)
      if (at < 0) return at
    }
    at += 1
  }
}

function hasName(bytes: Uint8Array, names: readonly number[], start: number, end: number): boolean {
  for (let n = 0; n < names.length; n += 2) {
    const other = names[n] ?? 0
    if ((names[n + 1] ?? 0) - other !== end - start) continue
    let same = 0
    while (same < end - start && bytes[other + same] === bytes[start + same]) same += 1
    if (same === end - start) return true
  }
  return false
}

/** Behind an entity, a lone `]` or a character of three bytes that XML allows, or a negative outcome. */
function endOfSpecial(bytes: Uint8Array, at: number): number {
  const end = bytes.length
  switch (bytes[at]) {
    case ampersand:
      return endOfEntity(bytes, at)
    case closingBracket:
      if (at + 2 >= end) return unfinished
      return bytes[at + 1] === closingBracket && bytes[at + 2] === greaterThan ? notPlain : at + 1
    case 0xef:
      if (at + 2 >= end) return unfinished
      return bytes[at + 1] === 0xbf && (bytes[at + 2] ?? 0) >= 0xbe ? notPlain : at + 1
    default:
      return notPlain
  }
}

const predefined: ReadonlySet<string> = new Set(['lt', 'gt', 'amp', 'quot', 'apos'])

function endOfEntity(bytes: Uint8Array, at: number): number {
  let name = ''
  for (let i = at + 1; i < at + 11; i += 1) {
    const byte = bytes[i]
    if (byte === undefined) return unfinished
    if (byte === semicolon) return isReference(name) ? i + 1 : notPlain
    if (byte !== hash && nameCharacter[byte] !== 1) return notPlain
    name += String.fromCharCode(byte)
  }
  return notPlain
}

function isReference(name: string): boolean {
  if (predefined.has(name)) return true
  const digits = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name)
  if (digits === null) return false
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16)
  return (
    code === 0x09 ||
    code === 0x0a ||
    code === 0x0d ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  )
}
