import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { RpmTags } from './rpm-tags.ts'

/** What stands before the payload of an .rpm file. Offsets count bytes from the file's beginning. */
export interface RpmHeaders {
  readonly isSource: boolean
  /** Holds signatures and digests of what follows; nothing vouches for it itself. */
  readonly signature: RpmTags
  /** The package's facts. Header-only signatures and digests cover exactly {@link mainBytes}. */
  readonly main: RpmTags
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
 * @see rpm, docs/manual/format_v4.md; lib/header.c for the limits
 */
export async function readRpmHeaders(source: ByteSource): Promise<RpmHeaders> {
  await using input = new HeadReader(source)
  const lead = view(await input.take(leadSize, 'lead'))
  if (lead.getUint32(0) !== 0xedabeedb) throw invalidRpm('it does not begin like an RPM package')
  const major = lead.getUint8(4)
  if (major !== 3 && major !== 4) throw invalidRpm(`packages of format ${major} are not known`)
  if (lead.getUint16(78) !== 5) throw invalidRpm('its signature is of a kind that rpm dropped')

  const signatureBytes = await readHeader(input, 'signature header', signatureLimits)
  await input.take(-input.position & 7, 'padding')
  const mainOffset = input.position
  const mainBytes = await readHeader(input, 'header', mainLimits)
  return {
    isSource: lead.getUint16(6) === 1,
    signature: parseHeader(signatureBytes, 'signature header'),
    main: parseHeader(mainBytes, 'header'),
    mainBytes,
    mainOffset,
    payloadOffset: input.position,
  }
}

/** Magic, how many entries and how many bytes of data, the entries, the data. */
async function readHeader(
  input: HeadReader,
  what: string,
  limits: { readonly entries: number; readonly data: number },
): Promise<Uint8Array> {
  const intro = await input.take(introSize, what)
  const fields = view(intro)
  if (fields.getUint32(0) !== 0x8eade801) throw invalidRpm(`its ${what} does not begin where it should`)
  const [entries, data] = [fields.getUint32(8), fields.getUint32(12)]
  if (entries === 0 || entries > limits.entries)
    throw invalidRpm(`its ${what} has ${entries} entries, allowed are 1 to ${limits.entries}`)
  if (data > limits.data) throw invalidRpm(`its ${what} holds ${data} bytes, allowed are ${limits.data}`)
  return Buffer.concat([intro, await input.take(entries * indexEntrySize + data, what)])
}

function parseHeader(bytes: Uint8Array, what: string): RpmTags {
  const entries = view(bytes).getUint32(8)
  const dataStart = introSize + entries * indexEntrySize
  return new RpmTags(bytes.subarray(introSize, dataStart), bytes.subarray(dataStart), what)
}

/** Takes bytes off the front of a source. Leaving its scope ends the source. */
class HeadReader implements AsyncDisposable {
  position = 0
  readonly #chunks: AsyncIterator<Uint8Array>
  #pending: Uint8Array[] = []
  #pendingSize = 0

  constructor(source: ByteSource) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  async take(size: number, what: string): Promise<Uint8Array> {
    while (this.#pendingSize < size) {
      const next = await this.#chunks.next()
      if (next.done) throw invalidRpm(`it ends within its ${what}`)
      this.#pending.push(next.value)
      this.#pendingSize += next.value.byteLength
    }
    const [only] = this.#pending
    const all = this.#pending.length === 1 && only ? only : Buffer.concat(this.#pending)
    const rest = all.subarray(size)
    this.#pending = [rest]
    this.#pendingSize = rest.byteLength
    this.position += size
    return all.subarray(0, size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function invalidRpm(reason: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a sound RPM package: ${reason}`, {
    hint: 'Upstream built or copied this package wrongly; tell them.',
  })
}
