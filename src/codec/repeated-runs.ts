import { crc32 } from 'node:zlib'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import type { EarlierTree } from '../core/publication.ts'
import type { CompressedRun, RunFormat } from './run-compression.ts'

/** Where a compressed run lies in a file of a published tree. */
interface RunPlace {
  readonly start: number
  readonly size: number
  /** CRC-32 of the compressed bytes: what a disk has damaged since is compressed anew, not handed on. */
  readonly checksum: number
}

/** Raised when runs are compressed otherwise than before: then none is taken from an older tree. */
const runsVersion = 1

/**
 * Finds runs that the tree before holds compressed already, and notes where those of this tree lie. A note is one line a run:
 * version and format, digest before compression, start, size, checksum, path.
 */
export class RepeatedRuns {
  readonly #earlier: EarlierTree | null
  readonly #known = new Map<string, RunPlace & { readonly path: RelativePath }>()
  readonly #notes: string[] = []

  constructor(earlier: EarlierTree | null) {
    this.#earlier = earlier
    for (const line of earlier?.notes ?? []) {
      const [kind, digest, start, size, checksum, path] = line.split('\t')
      if (!kind?.startsWith(`runs-${runsVersion}-`) || digest === undefined || path === undefined) continue
      this.#known.set(`${kind}\t${digest}`, {
        start: Number(start),
        size: Number(size),
        checksum: Number(checksum),
        path: parseRelativePath(path),
      })
    }
  }

  /** The compressed run; `null` where the tree before does not have it, or not sound. */
  async find(format: RunFormat, digest: string): Promise<Uint8Array | null> {
    const place = this.#known.get(`${kindOf(format)}\t${digest}`)
    if (!place) return null
    const bytes = await this.#earlier?.read(place.path, place)
    if (!bytes || crc32(bytes) !== place.checksum) return null
    return bytes
  }

  /** Follows the runs of one file as they are written. */
  startFile(format: RunFormat) {
    const places: (RunPlace & { readonly digest: string })[] = []
    const notes = this.#notes
    return {
      async *pass(runs: AsyncIterable<CompressedRun>): AsyncGenerator<Uint8Array> {
        let start = 0
        for await (const { digest, bytes } of runs) {
          const size = bytes.byteLength
          if (digest !== null) places.push({ digest, start, size, checksum: crc32(bytes) })
          start += size
          yield bytes
        }
      },
      finish(path: RelativePath): void {
        for (const { digest, start, size, checksum } of places)
          notes.push([kindOf(format), digest, start, size, checksum, path].join('\t'))
      },
    }
  }

  notes(): readonly string[] {
    return this.#notes
  }
}

function kindOf(format: RunFormat): string {
  return `runs-${runsVersion}-${format}`
}
