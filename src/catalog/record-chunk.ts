import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib'

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
export function encodeChunk(fragments: readonly Uint8Array[]): Promise<Uint8Array> {
  const head = Buffer.alloc(4 * (fragments.length + 1))
  head.writeUInt32LE(fragments.length, 0)
  for (const [index, fragment] of fragments.entries()) head.writeUInt32LE(fragment.length, 4 * (index + 1))
  return compress(Buffer.concat([head, ...fragments]), {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  })
}

/** What {@link encodeChunk} made: its fragments, as views of one buffer. */
export function decodeChunk(data: Uint8Array): readonly Uint8Array[] {
  const bytes = zstdDecompressSync(data)
  const count = bytes.readUInt32LE(0)
  const fragments: Uint8Array[] = []
  let start = 4 * (count + 1)
  for (let index = 1; index <= count; index++) {
    const end = start + bytes.readUInt32LE(4 * index)
    fragments.push(bytes.subarray(start, end))
    start = end
  }
  if (start !== bytes.length) throw new Error('a chunk of native records is damaged')
  return fragments
}
