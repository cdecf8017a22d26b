import type { ByteSource } from '../core/bytes.ts'
import { decompressBzip2 } from './bzip2.ts'
import { compressGzip, decompressGzip } from './gzip.ts'
import { limitSize } from './limit.ts'
import { compressXz, decompressLzma, decompressXz } from './xz.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

/** How bytes are compressed. `lzma` is the older format of `.lzma` files, without magic number and checksum. */
export type CompressionFormat = 'none' | 'gzip' | 'xz' | 'lzma' | 'zstd' | 'bzip2'

/** The formats that we write. */
export type WrittenFormat = 'gzip' | 'zstd' | 'xz'

/** Bytes of a file's start that {@link detectCompression} looks at. */
const detectionSize = 14

/** The format by its first bytes, `none` for what is none of them. Names are never asked: an extension may lie. */
export function detectCompression(head: Uint8Array): CompressionFormat {
  const [a, b, c, d = 0, e, f] = head
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58 && e === 0x5a && f === 0) return 'xz'
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd'
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd'
  if (a === 0x42 && b === 0x5a && c === 0x68 && d >= 0x31 && d <= 0x39) return 'bzip2'
  return isLzma(head) ? 'lzma' : 'none'
}

/**
 * A header of 13 bytes with nothing fixed in it: properties, dictionary size, size or -1. As liblzma does, believe the
 * sizes that encoders write; besides, a range coder's first byte is always 0.
 */
function isLzma(head: Uint8Array): boolean {
  if (head.byteLength < detectionSize) return false
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const properties = view.getUint8(0)
  const literalBits = (properties % 9) + (Math.floor(properties / 9) % 5)
  const dictionary = view.getUint32(1, true)
  const highestBit = 2 ** (31 - Math.clz32(dictionary))
  const isUsualDictionary =
    dictionary === 0xffffffff ||
    (dictionary >= 4096 && (dictionary === highestBit || dictionary === highestBit * 1.5))
  const size = view.getBigUint64(5, true)
  const isUsualSize = size === 0xffffffffffffffffn || size < 2n ** 38n
  return properties < 225 && literalBits <= 4 && isUsualDictionary && isUsualSize && view.getUint8(13) === 0
}

const decompressors: Readonly<Record<CompressionFormat, (source: ByteSource) => ByteSource>> = {
  none: (source) => source,
  gzip: decompressGzip,
  xz: decompressXz,
  lzma: decompressLzma,
  zstd: decompressZstd,
  bzip2: decompressBzip2,
}

/**
 * Decompresses whatever the first bytes say it is; what is not compressed passes as it is, an empty source gives
 * nothing. Concatenated streams of one format are one. An error of the source passes unchanged; to stop early ends the
 * source and frees the decoder.
 * @param limit `maxSize`: bytes that may come out
 * @throws ChantalError `SIZE_LIMIT` beyond the limit, `UPSTREAM_INVALID` for corrupt or truncated data and for garbage
 *   after its end (`details.format`, `details.fault`)
 */
export async function* decompress(source: ByteSource, limit: { readonly maxSize: number }): ByteSource {
  const { head, whole } = await peek(source, detectionSize)
  const format = detectCompression(head)
  const what = format === 'none' ? 'uncompressed data' : `decompressed ${format} data`
  yield* limitSize(decompressors[format](whole), limit.maxSize, what)
}

/** The first bytes of a source, at least `size` unless it ends before, and a source that still begins with them. */
async function peek(source: ByteSource, size: number): Promise<{ head: Uint8Array; whole: ByteSource }> {
  const iterator = source[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < size) {
    const { done, value } = await iterator.next()
    if (done === true) break
    chunks.push(value)
    length += value.byteLength
  }
  return { head: Buffer.concat(chunks), whole: resume(chunks, iterator) }
}

async function* resume(chunks: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): ByteSource {
  let isDone = false
  try {
    yield* chunks
    while (true) {
      // An iterator that threw has ended by itself.
      isDone = true
      const { done, value } = await iterator.next()
      if (done === true) return
      isDone = false
      yield value
    }
  } finally {
    if (!isDone) await iterator.return?.()
  }
}

/**
 * Compresses; equal bytes give equal bytes, however they are cut into chunks: no name and no time goes in.
 * Default levels: gzip 6, zstd 9 and xz 2. Each works as a stream.
 */
export function compress(
  format: WrittenFormat,
  source: ByteSource | Iterable<Uint8Array>,
  options: { readonly level?: number } = {},
): ByteSource {
  const level = options.level ?? defaultLevels[format]
  switch (format) {
    case 'gzip':
      return compressGzip(source, level)
    case 'zstd':
      return compressZstd(source, level)
    case 'xz':
      return compressXz(source, level)
  }
}

const defaultLevels: Readonly<Record<WrittenFormat, number>> = { gzip: 6, zstd: 9, xz: 2 }

const extensions: Readonly<Record<CompressionFormat, string>> = {
  none: '',
  gzip: '.gz',
  xz: '.xz',
  lzma: '.lzma',
  zstd: '.zst',
  bzip2: '.bz2',
}

/** What a file's name ends in, dot included. */
export function compressedExtension(format: CompressionFormat): string {
  return extensions[format]
}
