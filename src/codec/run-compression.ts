import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, zstdCompress } from 'node:zlib'
import { combineCrc32 } from './crc32-combine.ts'

/** The formats in which a run of bytes can be compressed for itself and repeated elsewhere. */
export type RunFormat = 'gzip' | 'zstd'

/** A run of which is known what it was made from. */
export interface MadeRun {
  readonly bytes: Uint8Array
  /** Equal for runs that are most likely equal: with size and CRC-32 it stands for the bytes, which need no digest then. */
  readonly origin: string
}

export interface CompressedRun {
  /**
   * What the run is found again by: SHA-256, in hex, of its bytes before compression, or of its origin, size and CRC-32. `null` for
   * what is around the runs.
   */
  readonly digest: string | null
  readonly bytes: Uint8Array
}

/**
 * Compresses runs each for itself, several at a time in the thread pool; one after another they are one compressed file. For gzip one
 * member, in which each run ends at a byte and looks back at nothing before it (a full flush); for zstd a frame each. Equal
 * runs give equal bytes, whether `repeat` knows them or not.
 * @param runs each with bytes that stay as they are until {@link runsAhead} more were asked for
 * @param repeat gives what a run with this digest was compressed to before, in the same format; `null` compresses it
 * @see RFC 1951, 3.2.4; RFC 8878, 3.1
 */
export async function* compressRuns(
  format: RunFormat,
  runs: AsyncIterable<Uint8Array | MadeRun>,
  repeat: (digest: string) => Promise<Uint8Array | null>,
): AsyncGenerator<CompressedRun> {
  const pending: Promise<CompressedRun>[] = []
  let checksum = 0
  let size = 0
  if (format === 'gzip') yield { digest: null, bytes: gzipHeader }
  for await (const run of runs) {
    const bytes = run instanceof Uint8Array ? run : run.bytes
    const sum = crc32(bytes)
    checksum = combineCrc32(checksum, sum, bytes.byteLength)
    size += bytes.byteLength
    const digest =
      run instanceof Uint8Array
        ? hash('sha256', bytes, 'hex')
        : hash('sha256', `${run.origin}\n${bytes.byteLength}\n${sum}`, 'hex')
    const compressed = compressRun(format, { digest, bytes }, repeat)
    // Each is awaited in its turn; a failure before that is not unhandled.
    compressed.catch(() => {})
    pending.push(compressed)
    if (pending.length < runsAhead) continue
    const first = await pending.shift()
    if (first) yield first
  }
  for (const each of pending) yield await each
  if (format === 'gzip') yield { digest: null, bytes: gzipEnd(checksum, size) }
}

/** Runs in work: more than the thread pool has threads, so that each finds the next one waiting. */
export const runsAhead = 4

const deflate = promisify(deflateRaw)
const zstd = promisify(zstdCompress)

async function compressRun(
  format: RunFormat,
  { digest, bytes: run }: { readonly digest: string; readonly bytes: Uint8Array },
  repeat: (digest: string) => Promise<Uint8Array | null>,
): Promise<CompressedRun> {
  const before = await repeat(digest)
  if (before) return { digest, bytes: before }
  // Most runs come out in one step.
  const chunkSize = Math.max(16 * 1024, run.byteLength >> 2)
  const bytes =
    format === 'gzip'
      ? await deflate(run, { level: 6, finishFlush: constants.Z_FULL_FLUSH, chunkSize })
      : await zstd(run, { params: zstdParameters, chunkSize })
  return { digest, bytes }
}

const zstdParameters = { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_checksumFlag]: 1 }

/** Deflate, no name, no time, Unix. @see RFC 1952, 2.3 */
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)

/** An empty last block, then CRC-32 and size of all that was compressed. */
function gzipEnd(checksum: number, size: number): Uint8Array {
  const end = Buffer.alloc(10)
  end.writeUInt16LE(0x0003, 0)
  end.writeUInt32LE(checksum, 2)
  end.writeUInt32LE(size % 2 ** 32, 6)
  return end
}
