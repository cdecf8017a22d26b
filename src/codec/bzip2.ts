import type { ByteSource } from '../core/bytes.ts'
import { BitReader } from './bzip2-bits.ts'
import { Bzip2Block } from './bzip2-block.ts'
import { InputBuffer } from './input-buffer.ts'
import { invalidData } from './invalid-data.ts'

const blockMagic = 0x314159265359
const endMagic = 0x177245385090
/** "BZh", the level, a magic number and a checksum: an empty stream. */
const smallestStream = 14

/**
 * Decompresses bzip2 streams, one after another, a block (at most 900 kB before its run lengths) at a time.
 * Both checksums are compared. Randomised blocks, which no bzip2 since 1997 writes, are refused.
 * @throws ChantalError `UPSTREAM_INVALID`
 * @see github.com/dsnet/compress, doc/bzip2-format.pdf: there is no official description
 */
export async function* decompressBzip2(source: ByteSource): ByteSource {
  await using input = new InputBuffer(source)
  let isFirst = true
  while (true) {
    await input.fill(smallestStream)
    if (input.length === 0) return
    const level = readStreamHeader(input.bytes, isFirst)
    isFirst = false
    const block = new Bzip2Block(level)
    // A block states no length, so as much is buffered as the worst one takes: 20 bits a symbol, and its tables.
    const worstBlock = level * 250_000 + 65_536
    let combinedChecksum = 0
    let bitOffset = 32
    while (true) {
      input.skip(bitOffset >> 3)
      bitOffset &= 7
      await input.fill(worstBlock)
      const bits = new BitReader(input.bytes, bitOffset, input.isComplete)
      const magic = bits.read(24) * 0x1000000 + bits.read(24)
      const checksum = ((bits.read(16) << 16) | bits.read(16)) >>> 0
      if (magic === endMagic) {
        if (checksum !== combinedChecksum)
          throw invalidData('bzip2', 'corrupt', 'the checksum of the stream differs')
        input.skip((bits.position + 7) >> 3)
        break
      }
      if (magic !== blockMagic) throw invalidData('bzip2', 'corrupt', 'no block starts where one should')
      block.read(bits)
      bitOffset = bits.position
      yield* block.decode()
      if (block.checksum !== checksum)
        throw invalidData('bzip2', 'corrupt', 'the checksum of a block differs')
      combinedChecksum = (((combinedChecksum << 1) | (combinedChecksum >>> 31)) ^ checksum) >>> 0
    }
  }
}

function readStreamHeader(bytes: Uint8Array, isFirst: boolean): number {
  const [b, z, h, digit = 0] = bytes
  const level = digit - 0x30
  if (b === 0x42 && z === 0x5a && h === 0x68 && level >= 1 && level <= 9) return level
  throw isFirst ? invalidData('bzip2', 'corrupt', 'no stream header') : invalidData('bzip2', 'trailing')
}
