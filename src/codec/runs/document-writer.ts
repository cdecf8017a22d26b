import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { giveBack } from '../../core/bytes.ts'
import type { Checksum } from '../../core/digest.ts'
import { combineCrc32 } from '../crc32-combine.ts'
import type { EarlierDocument, EarlierRun } from './earlier-document.ts'
import { formatRun } from './noted-run.ts'
import { runsAhead } from './run-buffers.ts'
import type { MadeRun, Run } from './run-collector.ts'
import { compressRun, endOfFile, type RunFormat, startOfFile } from './run-format.ts'

/** What a document is made of: runs of its entries, and the bytes around them. */
export type DocumentPiece = Run | Uint8Array

/** What a document is before compression. */
export interface OpenFacts {
  readonly checksum: Checksum
  /** In bytes. */
  readonly size: number
}

/** Of a piece, all that is to be written and counted. */
interface Step {
  readonly bytes: Uint8Array
  readonly open: readonly Uint8Array[]
  /** Whether nobody else reads `open`. */
  readonly isOurs: boolean
  readonly openSize: number
  readonly openChecksum: number
  /** A line for each run. */
  readonly notes: readonly string[]
}

/** Repeated runs are read and decompressed together up to this many bytes: one by one, asking takes longer than the work. */
const groupBytes = 1024 ** 2

/**
 * Makes one compressed file of a document's pieces. Runs are compressed, or taken from the earlier document, several at a time in the
 * thread pool. Equal pieces give equal bytes, wherever they come from.
 */
export class DocumentWriter {
  readonly #format: RunFormat
  readonly #earlier: EarlierDocument | null
  readonly #hash = createHash('sha256')
  #openChecksum = 0
  #openSize = 0
  readonly #notes: string[] = []
  #start: number | null = null
  #written = 0

  constructor(format: RunFormat, earlier: EarlierDocument | null) {
    this.#format = format
    this.#earlier = earlier
  }

  /** @param pieces bytes of runs last until {@link runsAhead} more were asked for */
  async *pass(pieces: AsyncIterable<DocumentPiece>): AsyncGenerator<Uint8Array> {
    yield this.#count(startOfFile(this.#format))
    const pending: Promise<Step>[] = []
    for await (const work of grouped(pieces)) {
      const step = this.#step(work)
      // Each is awaited in its turn; a failure before that is not unhandled.
      step.catch(() => {})
      pending.push(step)
      if (pending.length < runsAhead) continue
      const first = await pending.shift()
      if (first) yield this.#finishStep(first)
    }
    for (const step of pending) yield this.#finishStep(await step)
    const end = endOfFile(this.#format, { checksum: this.#openChecksum, size: this.#openSize })
    if (end.byteLength > 0) yield end
  }

  /** After {@link pass}. */
  finish(): { readonly open: OpenFacts; readonly start: number; readonly notes: readonly string[] } {
    const checksum = { algorithm: 'sha256' as const, hex: this.#hash.digest('hex') }
    return { open: { checksum, size: this.#openSize }, start: this.#start ?? 0, notes: this.#notes }
  }

  async #step(work: Work): Promise<Step> {
    if (work instanceof Uint8Array) return this.#made(work, null)
    if (work.kind === 'made') return this.#made(work.bytes, work)
    if (!this.#earlier) throw new Error('there is no earlier document')
    const [first, ...rest] = work.runs
    const { bytes, open } = await this.#earlier.repeat([first, ...rest])
    let { openChecksum, openSize } = first
    for (const run of rest) {
      openChecksum = combineCrc32(openChecksum, run.openChecksum, run.openSize)
      openSize += run.openSize
    }
    return { bytes, open, isOurs: true, openSize, openChecksum, notes: work.runs.map(({ line }) => line) }
  }

  async #made(open: Uint8Array, run: MadeRun | null): Promise<Step> {
    const openSize = open.byteLength
    const openChecksum = crc32(open)
    const bytes = await compressRun(this.#format, open)
    if (!run) return { bytes, open: [open], isOurs: false, openSize, openChecksum, notes: [] }
    const { lengths } = run
    const noted = {
      size: bytes.byteLength,
      checksum: crc32(bytes),
      openSize,
      openChecksum,
      count: lengths.length,
    }
    return { bytes, open: [open], isOurs: false, openSize, openChecksum, notes: [formatRun(noted, lengths)] }
  }

  #finishStep({ bytes, open, isOurs, openSize, openChecksum, notes }: Step): Uint8Array {
    for (const piece of open) {
      this.#hash.update(piece)
      if (isOurs) giveBack(piece)
    }
    this.#openChecksum = combineCrc32(this.#openChecksum, openChecksum, openSize)
    this.#openSize += openSize
    if (notes.length > 0) this.#start ??= this.#written
    this.#notes.push(...notes)
    return this.#count(bytes)
  }

  #count(bytes: Uint8Array): Uint8Array {
    this.#written += bytes.byteLength
    return bytes
  }
}

type Work = Uint8Array | MadeRun | { readonly kind: 'repeated'; readonly runs: [EarlierRun, ...EarlierRun[]] }

/** Puts repeated runs together that follow one another in the earlier document too. */
async function* grouped(pieces: AsyncIterable<DocumentPiece>): AsyncGenerator<Work> {
  let runs: EarlierRun[] = []
  let size = 0
  const take = function* (): Generator<Work> {
    const [first, ...rest] = runs
    if (first) yield { kind: 'repeated', runs: [first, ...rest] }
    runs = []
    size = 0
  }
  for await (const piece of pieces) {
    if (piece instanceof Uint8Array || piece.kind === 'made') {
      yield* take()
      yield piece
      continue
    }
    const last = runs.at(-1)
    const follows = last === undefined || last.start + last.size === piece.run.start
    if (!follows || size + piece.run.openSize > groupBytes) yield* take()
    runs.push(piece.run)
    size += piece.run.openSize
  }
  yield* take()
}

/** The document before compression, for formats that are compressed as one stream: no run may be repeated. */
export async function* openPieces(pieces: AsyncIterable<DocumentPiece>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece
    else if (piece.kind === 'repeated') throw new Error('a run of another format')
    // Runs are in memory that is used again; who compresses as one stream holds several chunks at a time.
    else yield Buffer.from(piece.bytes)
  }
}
