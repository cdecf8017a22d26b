import { isUtf8 } from 'node:buffer'
import { ChantalError } from '../../../core/errors.ts'

/** Numbers of the tags that are read here. @see rpm, include/rpm/rpmtag.h */
export const rpmTag = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  description: 1005,
  /** Seconds since 1970. */
  buildTime: 1006,
  buildHost: 1007,
  /** Bytes when installed; the other holds what 32 bits cannot. */
  size: 1009,
  longSize: 5009,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  group: 1016,
  url: 1020,
  architecture: 1022,
  oldFileNames: 1027,
  fileModes: 1030,
  fileFlags: 1037,
  /** Of a binary package: the file name of the source it was built from. */
  sourcePackage: 1044,
  archiveSize: 1046,
  provides: { names: 1047, flags: 1112, versions: 1113 },
  requires: { names: 1049, flags: 1048, versions: 1050 },
  conflicts: { names: 1054, flags: 1053, versions: 1055 },
  obsoletes: { names: 1090, flags: 1114, versions: 1115 },
  recommends: { names: 5046, flags: 5048, versions: 5047 },
  suggests: { names: 5049, flags: 5051, versions: 5050 },
  supplements: { names: 5052, flags: 5054, versions: 5053 },
  enhances: { names: 5055, flags: 5057, versions: 5056 },
  changelogTimes: 1080,
  changelogNames: 1081,
  changelogTexts: 1082,
  folderIndexes: 1116,
  baseNames: 1117,
  folderNames: 1118,
  /** Hex digests of the compressed payload, and by which algorithm (OpenPGP's numbers). */
  payloadDigest: 5092,
  payloadDigestAlgorithm: 5093,
  /** Of a package that belongs to a module: `name:stream:version:context`. */
  moduleLabel: 5096,
} as const

/** Numbers that mean something else in the signature header. */
export const rpmSignatureTag = {
  /** OpenPGP signatures of the main header alone: by DSA or EdDSA, by RSA, and (rpm 6) of any kind, as base64. */
  dsaHeader: 267,
  rsaHeader: 268,
  openpgp: 278,
  longArchiveSize: 271,
  /** Bytes of the uncompressed payload; the other holds what 32 bits cannot. */
  payloadSize: 1007,
  /** OpenPGP signatures of the main header and the payload after it. */
  pgp: 1002,
  gpg: 1005,
  /** Bytes of the main header and the payload after it; the second holds what 32 bits cannot. */
  size: 1000,
  longSize: 270,
  /** Binary, of the main header and the payload after it. */
  md5: 1004,
  /** Hex digests of the main header. */
  sha1: 269,
  sha256: 273,
  sha3With256: 279,
} as const

const charType = 1
const int16Type = 3
const int32Type = 4
const int64Type = 5
const stringType = 6
const binaryType = 7
const stringArrayType = 8
const translatedType = 9

/** Bytes of one item by type. A string takes one at least, its end. */
const itemSizes = [0, 1, 1, 2, 4, 8, 1, 1, 1, 1] as const
const alignments = [1, 1, 1, 2, 4, 8, 1, 1, 1, 1] as const

/**
 * Of all arrays that are read of one header: those of the largest packages have a million. A header's size bounds nothing: each
 * byte of it may be a text of its own.
 */
const maxItems = 4_000_000

interface Entry {
  readonly type: number
  readonly offset: number
  readonly count: number
}

/**
 * The tags of one RPM header. Every entry's type, place and count are checked once, against the data that is there; what an
 * entry says is read when it is asked for. `null` where there is no such tag.
 */
export class RpmTags {
  readonly #entries = new Map<number, Entry>()
  readonly #data: Buffer
  readonly #what: string
  #itemsLeft = maxItems

  /**
   * @param index 16 bytes for each entry: tag, type, offset in `data`, count, all 32-bit big-endian
   * @param what named in errors: `header`
   * @throws ChantalError `UPSTREAM_INVALID`
   */
  constructor(index: Uint8Array, data: Uint8Array, what: string) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#what = what
    const fields = new DataView(index.buffer, index.byteOffset, index.byteLength)
    for (let at = 0; at < index.byteLength; at += 16) {
      const tag = fields.getUint32(at)
      const entry = {
        type: fields.getUint32(at + 4),
        offset: fields.getUint32(at + 8),
        count: fields.getUint32(at + 12),
      }
      this.#check(tag, entry)
      // Two values for one tag leave it to the reader which one counts: no two would agree on what was signed.
      if (this.#entries.has(tag)) throw this.#invalid(tag, 'stands twice')
      this.#entries.set(tag, entry)
    }
  }

  /** The text of a string; of a translated one the untranslated, which is first; of an array its first. */
  string(tag: number): string | null {
    return this.#strings(tag, 1)?.[0] ?? null
  }

  /**
   * @param most more of them are an error
   * @throws ChantalError `UPSTREAM_INVALID` also where all arrays that were read hold too many
   */
  strings(tag: number, most = Number.POSITIVE_INFINITY): readonly string[] | null {
    const count = this.#entries.get(tag)?.count ?? 0
    if (count > most) throw this.#invalid(tag, `holds ${count} texts, allowed are ${most}`)
    return this.#strings(tag, Number.POSITIVE_INFINITY)
  }

  #strings(tag: number, wanted: number): readonly string[] | null {
    const entry = this.#entries.get(tag)
    if (!entry) return null
    if (entry.type !== stringType && entry.type !== stringArrayType && entry.type !== translatedType)
      throw this.#invalid(tag, 'is no text')
    const count = this.#count(tag, entry, wanted)
    const strings: string[] = []
    let start = entry.offset
    for (let index = 0; index < count; index++) {
      const end = this.#data.indexOf(0, start)
      if (end === -1) throw this.#invalid(tag, 'does not end')
      strings.push(textOf(this.#data.subarray(start, end)))
      start = end + 1
    }
    return strings
  }

  /** Integers of any width. @throws ChantalError `UPSTREAM_INVALID` also for one beyond 2^53, and as {@link strings} */
  numbers(tag: number): readonly number[] | null {
    return this.#numbers(tag, Number.POSITIVE_INFINITY)
  }

  number(tag: number): number | null {
    return this.#numbers(tag, 1)?.[0] ?? null
  }

  #numbers(tag: number, wanted: number): readonly number[] | null {
    const entry = this.#entries.get(tag)
    if (!entry) return null
    const size = itemSizes[entry.type] ?? 0
    if (entry.type < charType || entry.type > int64Type) throw this.#invalid(tag, 'is no number')
    return Array.from({ length: this.#count(tag, entry, wanted) }, (_, index) => {
      const number = this.#number(entry.type, entry.offset + index * size)
      if (!Number.isSafeInteger(number)) throw this.#invalid(tag, 'is too large')
      return number
    })
  }

  /** A view of the header, not a copy. */
  bytes(tag: number): Uint8Array | null {
    const entry = this.#entries.get(tag)
    if (!entry) return null
    if (entry.type !== binaryType) throw this.#invalid(tag, 'is not binary')
    return this.#data.subarray(entry.offset, entry.offset + entry.count)
  }

  has(tag: number): boolean {
    return this.#entries.has(tag)
  }

  /** How many items of an entry are read. */
  #count(tag: number, entry: Entry, wanted: number): number {
    const count = Math.min(entry.count, wanted)
    this.#itemsLeft -= count
    if (this.#itemsLeft < 0) throw this.#invalid(tag, `holds too much: allowed are ${maxItems} items in all`)
    return count
  }

  #number(type: number, at: number): number {
    if (type === int64Type) return Number(this.#data.readBigUInt64BE(at))
    if (type === int32Type) return this.#data.readUInt32BE(at)
    if (type === int16Type) return this.#data.readUInt16BE(at)
    return this.#data.readUInt8(at)
  }

  #check(tag: number, { type, offset, count }: Entry): void {
    const size = itemSizes[type]
    const alignment = alignments[type]
    if (size === undefined || alignment === undefined)
      throw this.#invalid(tag, `has the unknown type ${type}`)
    if (count === 0 || (type === stringType && count !== 1))
      throw this.#invalid(tag, `has the count ${count}`)
    if (offset % alignment !== 0) throw this.#invalid(tag, 'is not aligned')
    if (offset > this.#data.byteLength || count * size > this.#data.byteLength - offset)
      throw this.#invalid(tag, 'lies outside of the header')
  }

  #invalid(tag: number, reason: string): ChantalError {
    return new ChantalError(
      'UPSTREAM_INVALID',
      `not a sound RPM package: tag ${tag} of its ${this.#what} ${reason}`,
      { hint: 'Upstream built or copied this package wrongly; tell them.', details: { tag } },
    )
  }
}

/** Old packages write Latin-1, and nothing says so. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}

/** What names a package, as its header says it. */
export interface RpmFacts {
  readonly name: string
  readonly epoch: number
  readonly version: string
  readonly release: string
  /** `src` for a source package, whose header names the architecture it was packed on. */
  readonly architecture: string
}

/** @throws ChantalError `UPSTREAM_INVALID` where one is missing */
export function readRpmFacts(main: RpmTags): RpmFacts {
  return {
    name: requiredText(main, rpmTag.name, 'name'),
    epoch: main.number(rpmTag.epoch) ?? 0,
    version: requiredText(main, rpmTag.version, 'version'),
    release: requiredText(main, rpmTag.release, 'release'),
    architecture: main.has(rpmTag.sourcePackage)
      ? requiredText(main, rpmTag.architecture, 'architecture')
      : 'src',
  }
}

function requiredText(main: RpmTags, tag: number, what: string): string {
  const text = main.string(tag)
  if (text !== null && text !== '') return text
  throw new ChantalError('UPSTREAM_INVALID', `not a sound RPM package: it has no ${what}`, {
    details: { tag },
  })
}
