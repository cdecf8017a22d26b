import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib'
import { giveBack, unsharedSize } from '../core/bytes.ts'

const compress = promisify(zstdCompress)

/** Fragments compressed together: one by one, native records cost twice the space and three times the time. */
const maxFragments = 100
/** Uncompressed; a chunk with one larger fragment is larger. */
const maxChunkBytes = 1024 ** 2

/**
 * Neighbouring fragments in chunks of about a hundred, in order.
 * @param sizes of the fragments, in bytes
 * @returns for each chunk the index after its last fragment
 */
export function chunkEnds(sizes: readonly number[]): readonly number[] {
  const ends: number[] = []
  let start = 0
  let bytes = 0
  for (const [index, size] of sizes.entries()) {
    if (index > start && (index - start >= maxFragments || bytes + size > maxChunkBytes)) {
      ends.push(index)
      start = index
      bytes = 0
    }
    bytes += size
  }
  if (sizes.length > start) ends.push(sizes.length)
  return ends
}

/**
 * zstd over: how many fragments, the length of each (32-bit little-endian), the fragments one after another. Compressed in the thread
 * pool, so that the caller can go on with the next ones.
 */
export async function encodeChunk(fragments: readonly Uint8Array[]): Promise<Uint8Array> {
  const head = Buffer.alloc(4 * (fragments.length + 1))
  head.writeUInt32LE(fragments.length, 0)
  for (const [index, fragment] of fragments.entries()) head.writeUInt32LE(fragment.length, 4 * (index + 1))
  const bytes = Buffer.concat([head, ...fragments])
  const data = await compress(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
    // States the size in the frame, so that the decoder makes one buffer of it.
    pledgedSrcSize: bytes.byteLength,
    // Most come out in one step.
    chunkSize: 64 * 1024,
  })
  giveBack(bytes)
  return data
}

/**
 * What {@link encodeChunk} made. At once: handing a chunk to the thread pool and waiting for it takes as long as decompressing it.
 * @throws Error where it is damaged
 */
export function decodeChunk(data: Uint8Array): DecodedChunk {
  // One byte more, so that the decoder knows after one step that there is no more.
  const chunkSize = Math.max(decodedSize(data) + 1, unsharedSize)
  return new DecodedChunk(zstdDecompressSync(data, { chunkSize }))
}

/** The fragments of a chunk, cut out as they are asked for. */
export class DecodedChunk {
  readonly #bytes: Buffer
  /** Where each fragment ends. */
  readonly #ends: Uint32Array
  readonly #start: number

  constructor(bytes: Buffer) {
    const count = bytes.readUInt32LE(0)
    this.#bytes = bytes
    this.#ends = new Uint32Array(count)
    this.#start = 4 * (count + 1)
    let end = this.#start
    for (let index = 0; index < count; index++) {
      end += bytes.readUInt32LE(4 * (index + 1))
      this.#ends[index] = end
    }
    if (end !== bytes.length) throw new Error('a chunk of native records is damaged')
  }

  /** A view. */
  fragment(position: number): Uint8Array {
    const end = this.#ends[position]
    if (end === undefined) throw new Error(`a chunk without a fragment ${position}`)
    return this.#bytes.subarray(position === 0 ? this.#start : this.#ends[position - 1], end)
  }

  /** Gives back what it takes. Its fragments are empty from then on. */
  forget(): void {
    giveBack(this.#bytes)
  }
}

const unstatedSize = 256 * 1024

/** Bytes that come out, as the frame's header states them; an estimate where it does not. @see RFC 8878, 3.1.1.1 */
export function decodedSize(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (data.byteLength < 13) return unstatedSize
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const start = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0)
  const stated = [
    isSingleSegment ? () => view.getUint8(start) : () => unstatedSize,
    () => view.getUint16(start, true) + 256,
    () => view.getUint32(start, true),
  ][descriptor >> 6]
  return Math.min(stated?.() ?? unstatedSize, 64 * 1024 ** 2)
}
