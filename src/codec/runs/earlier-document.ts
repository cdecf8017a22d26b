import { crc32 } from 'node:zlib'
import { giveBack } from '../../core/bytes.ts'
import type { RelativePath } from '../../core/path.ts'
import { type EarlierTree, TreeIncomplete } from '../../core/publication.ts'
import type { EntryIds, EntryPage } from './entry-ids.ts'
import { formatRun, type NotedRun, parseLengths, parseRun } from './noted-run.ts'
import { decompressRun, decompressRuns, type RunFormat } from './run-format.ts'

/** Where a document lies, and the lines of its runs. */
export interface NotedDocument {
  readonly path: RelativePath
  readonly format: RunFormat
  /** Where its first run begins in the file. */
  readonly start: number
  readonly ids: EntryIds
  readonly runs: readonly string[]
}

/** A run of an earlier document. */
export interface EarlierRun extends NotedRun {
  /** As its note has it. */
  readonly line: string
  /** Where it begins in the file. */
  readonly start: number
  /** The position of its first entry in the document. */
  readonly first: number
}

interface OpenedRun {
  readonly run: EarlierRun
  readonly bytes: Uint8Array
  /** Where each of its entries ends. */
  readonly ends: readonly number[]
}

/** A document of an earlier tree, to take entries and whole runs from. */
export class EarlierDocument {
  readonly format: RunFormat
  readonly #path: RelativePath
  readonly #ids: EntryIds
  readonly #runs: readonly EarlierRun[]
  readonly #tree: EarlierTree
  #opened: OpenedRun | null = null

  private constructor(noted: NotedDocument, runs: readonly EarlierRun[], tree: EarlierTree) {
    this.format = noted.format
    this.#path = noted.path
    this.#ids = noted.ids
    this.#runs = runs
    this.#tree = tree
  }

  /** @returns `null` where the notes do not say of every entry where it is */
  static of(noted: NotedDocument, tree: EarlierTree): EarlierDocument | null {
    const runs: EarlierRun[] = []
    let { start } = noted
    let first = 0
    for (const line of noted.runs) {
      const run = { ...parseRun(line), line, start, first }
      runs.push(run)
      start += run.size
      first += run.count
    }
    return first === noted.ids.length ? new EarlierDocument(noted, runs, tree) : null
  }

  /** Where an entry stands; -1 where it is not in this document. */
  positionOf(page: EntryPage, index: number): number {
    return this.#ids.find(page, index)
  }

  /** The run in which the entry at this position lies. */
  runOf(position: number): EarlierRun {
    let low = 0
    let high = this.#runs.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#runs[middle]?.first ?? 0) <= position) low = middle
      else high = middle - 1
    }
    const run = this.#runs[low]
    if (!run) throw new Error(`no entry at ${position}`)
    return run
  }

  /** The run that begins at this position, where a page has all of it from `index` on; `null` otherwise. */
  wholeRunAt(position: number, page: EntryPage, index: number): EarlierRun | null {
    const run = this.runOf(position)
    const isWhole = run.first === position && this.#ids.hasAt(position, page, index, run.count)
    return isWhole ? run : null
  }

  /**
   * An entry with what follows it. Entries of one run after another are cheap; what was given before may not last.
   * @throws TreeIncomplete where a disk has damaged the run
   */
  entryAt(position: number): Uint8Array | Promise<Uint8Array> {
    const opened = this.#opened
    if (opened && position >= opened.run.first && position < opened.run.first + opened.run.count)
      return entryIn(opened, position)
    return this.#open(this.runOf(position)).then((run) => entryIn(run, position))
  }

  /**
   * The compressed bytes of runs that lie one after another, and what they were before, in one or more pieces.
   * @throws TreeIncomplete where a disk has damaged one: it must not be handed on
   */
  async repeat(runs: readonly [EarlierRun, ...EarlierRun[]]): Promise<{
    readonly bytes: Uint8Array
    readonly open: readonly Uint8Array[]
  }> {
    const size = runs.reduce((sum, run) => sum + run.size, 0)
    const bytes = Uint8Array.from(await this.#read({ start: runs[0].start, size }))
    for (const run of runs) this.#check(run, bytes.subarray(run.start - runs[0].start))
    return { bytes, open: await decompressRuns(this.format, bytes, runs) }
  }

  async #open(run: EarlierRun): Promise<OpenedRun> {
    const compressed = await this.#read(run)
    this.#check(run, compressed)
    const bytes = decompressRun(this.format, compressed, run.openSize)
    let end = 0
    const ends = parseLengths(run.line).map((length) => {
      end += length
      return end
    })
    if (end !== run.openSize || ends.length !== run.count)
      throw new Error(`a note is wrong: ${formatRun(run)}`)
    if (this.#opened) giveBack(this.#opened.bytes)
    this.#opened = { run, bytes, ends }
    return this.#opened
  }

  async #read(range: { readonly start: number; readonly size: number }): Promise<Uint8Array> {
    const bytes = await this.#tree.read(this.#path, range)
    if (!bytes) throw new TreeIncomplete(`a file of an earlier tree is gone or shorter: ${this.#path}`)
    return bytes
  }

  /** @param bytes begin with the run */
  #check({ size, checksum }: EarlierRun, bytes: Uint8Array): void {
    if (crc32(bytes.subarray(0, size)) !== checksum)
      throw new TreeIncomplete(`a file of an earlier tree is damaged: ${this.#path}`)
  }
}

function entryIn({ run, bytes, ends }: OpenedRun, position: number): Uint8Array {
  const index = position - run.first
  return bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index])
}
