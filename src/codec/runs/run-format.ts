import { promisify } from 'node:util'
import {
  constants,
  deflateRaw,
  inflateRaw,
  inflateRawSync,
  zstdCompress,
  zstdDecompressSync,
} from 'node:zlib'

/** The formats in which a run of bytes can be compressed for itself and repeated elsewhere. */
export type RunFormat = 'gzip' | 'zstd'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)
const compressZstd = promisify(zstdCompress)

/** At this level runs are as small as gzip's, for a third of the work; those above save a tenth and take as long as it. */
const zstdParameters = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 }

/**
 * One run, compressed for itself in the thread pool; one after another, between {@link startOfFile} and {@link endOfFile}, they are one
 * compressed file. For gzip one member, in which each run ends at a byte and looks back at nothing before it (a full flush); for zstd a
 * frame each. Equal runs give equal bytes.
 * @see RFC 1951, 3.2.4; RFC 8878, 3.1
 */
export async function compressRun(format: RunFormat, run: Uint8Array): Promise<Uint8Array> {
  // Most runs come out in one step.
  const chunkSize = Math.max(16 * 1024, run.byteLength >> 2)
  return format === 'gzip'
    ? deflate(run, { level: 6, memLevel: 9, finishFlush: constants.Z_FULL_FLUSH, chunkSize })
    : // Stated, the size is in the frame, and tables are as large as it needs: those for any size take ten times as long as the work.
      compressZstd(run, { params: zstdParameters, pledgedSrcSize: run.byteLength, chunkSize })
}

/**
 * What {@link compressRun} was given, of runs that lie one after another.
 * @param sizes of each, compressed and before, in bytes
 * @throws Error where they do not come to that
 */
export async function decompressRuns(
  format: RunFormat,
  bytes: Uint8Array,
  sizes: readonly RunSizes[],
): Promise<readonly Uint8Array[]> {
  const size = sizes.reduce((sum, run) => sum + run.openSize, 0)
  if (format === 'gzip') return [whole(await inflate(bytes, inflateOptions(size)), size)]
  // A call of the thread pool decodes one frame, and takes longer than that.
  let start = 0
  return sizes.map((run) => {
    const frame = bytes.subarray(start, start + run.size)
    start += run.size
    return decompressRun(format, frame, run.openSize)
  })
}

/** {@link decompressRuns} of one, at once. */
export function decompressRun(format: RunFormat, bytes: Uint8Array, openSize: number): Uint8Array {
  const open =
    format === 'gzip'
      ? inflateRawSync(bytes, inflateOptions(openSize))
      : zstdDecompressSync(bytes, { chunkSize: roomFor(openSize), maxOutputLength: openSize + 1 })
  return whole(open, openSize)
}

export interface RunSizes {
  readonly size: number
  readonly openSize: number
}

/** Stops after so many bytes: what is read was checked, and must not become more. */
function inflateOptions(openSize: number) {
  return {
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: roomFor(openSize),
    maxOutputLength: openSize + 1,
  }
}

/** One byte more, so that the decoder knows after one step that there is no more. */
function roomFor(openSize: number): number {
  return Math.max(openSize + 1, constants.Z_MIN_CHUNK)
}

function whole(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.byteLength !== size) throw new Error(`a run has ${bytes.byteLength} bytes, not ${size}`)
  return bytes
}

/** Deflate, no name, no time, Unix. @see RFC 1952, 2.3 */
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)

export function startOfFile(format: RunFormat): Uint8Array {
  return format === 'gzip' ? gzipHeader : new Uint8Array()
}

/** @param checksum CRC-32 of all that was compressed; `size` its bytes */
export function endOfFile(
  format: RunFormat,
  { checksum, size }: { checksum: number; size: number },
): Uint8Array {
  if (format === 'zstd') return new Uint8Array()
  // An empty last block, then CRC-32 and size.
  const end = Buffer.alloc(10)
  end.writeUInt16LE(0x0003, 0)
  end.writeUInt32LE(checksum, 2)
  end.writeUInt32LE(size % 2 ** 32, 6)
  return end
}
