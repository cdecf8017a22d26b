import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { RpmTags } from './rpm-tags.ts'

/** What stands before the payload of an .rpm file. Offsets count bytes from the file's beginning. */
export interface RpmHeaders {
  readonly isSource: boolean
  /** Holds signatures and digests of what follows; nothing vouches for it itself. */
  readonly signature: RpmTags
  /** Header-only signatures and digests cover exactly these bytes. */
  readonly mainBytes: Uint8Array
  readonly mainOffset: number
  /** Where the compressed payload begins; it goes on to the end of the file. */
  readonly payloadOffset: number
}

const leadSize = 96
const introSize = 16
const indexEntrySize = 16

/** rpm's own limits, for the signature header and for the main one. */
const signatureLimits = { entries: 32, data: 64 * 1024 ** 2 }
const mainLimits = { entries: 65_535, data: 256 * 1024 ** 2 }

/**
 * Reads an .rpm file up to its payload, and no further than the chunk that holds its end. Nothing is allocated by what the file
 * announces: memory follows the bytes that arrive, up to rpm's own limits.
 * @throws ChantalError `UPSTREAM_INVALID`; the source's own error unchanged
 */
export async function readRpmHeaders(source: ByteSource): Promise<RpmHeaders> {
  const chunks: Uint8Array[] = []
  let size = 0
  let wanted = 1
  for await (const chunk of source) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size < wanted) continue
    const head = Buffer.concat(chunks.splice(0))
    const parsed = parseRpmHeaders(head)
    if (typeof parsed !== 'number') return parsed
    chunks.push(head)
    wanted = parsed
  }
  throw invalidRpm('it ends within its headers')
}

/**
 * The headers of an .rpm file that begins with `head`; views of it, no copies. A number where `head` ends too early: how many bytes
 * are needed to get further, which may not be enough yet.
 * @throws ChantalError `UPSTREAM_INVALID`
 * @see rpm, docs/manual/format_v4.md; lib/header.c for the limits
 */
export function parseRpmHeaders(head: Uint8Array): RpmHeaders | number {
  const signatureStart = leadSize
  if (head.byteLength < signatureStart + introSize) return signatureStart + introSize
  const lead = view(head)
  if (lead.getUint32(0) !== 0xedabeedb) throw invalidRpm('it does not begin like an RPM package')
  const major = lead.getUint8(4)
  if (major !== 3 && major !== 4) throw invalidRpm(`packages of format ${major} are not known`)
  if (lead.getUint16(78) !== 5) throw invalidRpm('its signature is of a kind that rpm dropped')

  const signatureEnd = signatureStart + headerSize(lead, signatureStart, 'signature header', signatureLimits)
  const mainOffset = Math.ceil(signatureEnd / 8) * 8
  if (head.byteLength < mainOffset + introSize) return mainOffset + introSize
  const payloadOffset = mainOffset + headerSize(lead, mainOffset, 'header', mainLimits)
  if (head.byteLength < payloadOffset) return payloadOffset
  return {
    isSource: lead.getUint16(6) === 1,
    signature: parseTags(head.subarray(signatureStart, signatureEnd), 'signature header'),
    mainBytes: head.subarray(mainOffset, payloadOffset),
    mainOffset,
    payloadOffset,
  }
}

/** The package's facts. @throws ChantalError `UPSTREAM_INVALID` */
export function parseMainTags({ mainBytes }: RpmHeaders): RpmTags {
  return parseTags(mainBytes, 'header')
}

/** A header is: magic, how many entries and how many bytes of data, the entries, the data. */
function headerSize(
  fields: DataView,
  start: number,
  what: string,
  limits: { readonly entries: number; readonly data: number },
): number {
  if (fields.getUint32(start) !== 0x8eade801) throw invalidRpm(`its ${what} does not begin where it should`)
  const [entries, data] = [fields.getUint32(start + 8), fields.getUint32(start + 12)]
  if (entries === 0 || entries > limits.entries)
    throw invalidRpm(`its ${what} has ${entries} entries, allowed are 1 to ${limits.entries}`)
  if (data > limits.data) throw invalidRpm(`its ${what} holds ${data} bytes, allowed are ${limits.data}`)
  return introSize + entries * indexEntrySize + data
}

function parseTags(bytes: Uint8Array, what: string): RpmTags {
  const entries = view(bytes).getUint32(8)
  const dataStart = introSize + entries * indexEntrySize
  return new RpmTags(bytes.subarray(introSize, dataStart), bytes.subarray(dataStart), what)
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function invalidRpm(reason: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a sound RPM package: ${reason}`, {
    hint: 'Upstream built or copied this package wrongly; tell them.',
  })
}
