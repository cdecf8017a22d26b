import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { ByteSource } from '../core/bytes.ts'
import { invalidData } from './invalid-data.ts'
import { ZlibDriver, zlibBuffering } from './zlib-transform.ts'
import { ZstdFrames } from './zstd-frames.ts'

/**
 * Decompresses zstd frames, one after another; skippable frames give nothing. Windows up to 128 MiB (`--long=27`).
 * @throws ChantalError `UPSTREAM_INVALID`
 * @see RFC 8878
 */
export async function* decompressZstd(source: ByteSource): ByteSource {
  const frames = new ZstdFrames()
  const decoder = new ZlibDriver(createZstdDecompress(zlibBuffering), 'zstd')
  try {
    for await (const chunk of source) {
      for (const piece of frames.split(chunk)) {
        yield* decoder.write(piece)
        if (decoder.ended) throw invalidData('zstd', 'corrupt', 'a frame ends before its last block')
      }
    }
    if (!frames.isBetweenFrames) throw invalidData('zstd', 'truncated')
    yield* decoder.end()
  } finally {
    decoder.destroy()
  }
}

/** Compresses into one zstd frame with a checksum and without content size: equal input and level give equal bytes. */
export async function* compressZstd(source: ByteSource | Iterable<Uint8Array>, level: number): ByteSource {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
  const encoder = new ZlibDriver(createZstdCompress({ ...zlibBuffering, params }), 'zstd')
  try {
    for await (const chunk of source) yield* encoder.write(chunk)
    yield* encoder.end()
  } finally {
    encoder.destroy()
  }
}
