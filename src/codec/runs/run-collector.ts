import type { EarlierDocument, EarlierRun } from './earlier-document.ts'
import { EntryIds, type EntryPage } from './entry-ids.ts'
import { RunBuffers } from './run-buffers.ts'
import { endsRun, maxRunBytes } from './run-ends.ts'

/** A run whose bytes are here. */
export interface MadeRun {
  readonly kind: 'made'
  readonly bytes: Uint8Array
  /** Of each entry, with what follows it. */
  readonly lengths: readonly number[]
}

/** A run that the earlier document has. */
export interface RepeatedRun {
  readonly kind: 'repeated'
  readonly run: EarlierRun
}

export type Run = MadeRun | RepeatedRun

/**
 * Cuts the entries of a document into runs, in order. A run ends where the keys of entries say so, so what changes leaves the runs of other
 * entries as they are: those of which the earlier document has every entry, in one run that holds nothing else, are repeated without
 * being looked at. Of others, entries that it has are taken from there.
 */
export class RunCollector {
  readonly #average: number
  readonly #earlier: EarlierDocument | null
  readonly #buffers: RunBuffers
  readonly ids: EntryIds = new EntryIds()
  #lengths: number[] = []
  /** The run is, so far, the first entries of an earlier one. */
  #repeated: { readonly run: EarlierRun; count: number } | null = null
  #isEnded = false

  /**
   * @param average entries in a run
   * @param waiting runs that may be taken and not yet asked for by the writer
   */
  constructor(average: number, earlier: EarlierDocument | null, waiting = 0) {
    this.#average = average
    this.#earlier = earlier
    this.#buffers = new RunBuffers(waiting)
  }

  /** Whether the run ends with the entry that was added last. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Whether there is no earlier document, so that every entry has to be made. */
  get hasNone(): boolean {
    return this.#earlier === null
  }

  /** Where the earlier document has an entry; -1 where it has to be made. */
  find(page: EntryPage, index: number): number {
    return this.#earlier?.positionOf(page, index) ?? -1
  }

  /** {@link find} of a whole page: quick where runs of it are as they were. */
  findAll(page: EntryPage): Int32Array {
    const { length } = page.keys
    const positions = new Int32Array(length)
    for (let index = 0; index < length; ) {
      const position = this.find(page, index)
      const run = position < 0 ? null : (this.#earlier?.wholeRunAt(position, page, index) ?? null)
      const count = run?.count ?? 1
      for (let step = 0; step < count; step++) positions[index + step] = position + step
      index += count
    }
    return positions
  }

  /**
   * Adds a whole run of the earlier document, where the page goes on with one from `index` on.
   * @returns how many entries; 0 where a run has begun, or there is no such run, and nothing was added
   */
  repeatRun(page: EntryPage, index: number, position: number): number {
    if (this.#lengths.length > 0) return 0
    const run = this.#earlier?.wholeRunAt(position, page, index) ?? null
    // One at the end of its document may have ended there for want of entries.
    if (run === null || !this.#endsWith(run, page.keys[index + run.count - 1] ?? '')) return 0
    this.#repeated = { run, count: run.count }
    this.ids.add(page, index, run.count)
    this.#isEnded = true
    return run.count
  }

  /** @param end a byte that follows the entry. Both are copied at once */
  add(page: EntryPage, index: number, entry: Uint8Array, end: number): Promise<void> | void {
    if (this.#repeated) return this.#makeRun().then(() => this.#add(page, index, entry, end))
    this.#add(page, index, entry, end)
  }

  /** Adds what the earlier document has at this position. */
  repeat(page: EntryPage, index: number, position: number): Promise<void> | void {
    const earlier = this.#earlier
    if (!earlier) throw new Error('there is no earlier document')
    const repeated = this.#repeated
    if (repeated && position === repeated.run.first + repeated.count && repeated.count < repeated.run.count) {
      repeated.count += 1
      this.#enter(page, index, 0)
      return
    }
    if (!repeated && this.#lengths.length === 0) {
      const run = earlier.runOf(position)
      if (run.first === position) {
        this.#repeated = { run, count: 1 }
        this.#enter(page, index, 0)
        return
      }
    }
    return this.#copy(earlier, page, index, position)
  }

  /** The run as it is now; `null` where there is none. Its bytes stay for as long as those of `RunBuffers`. */
  async take(): Promise<Run | null> {
    if (this.#repeated && this.#repeated.count < this.#repeated.run.count) await this.#makeRun()
    const repeated = this.#repeated
    const lengths = this.#lengths
    this.#repeated = null
    this.#lengths = []
    this.#isEnded = false
    if (repeated) return { kind: 'repeated', run: repeated.run }
    return lengths.length === 0 ? null : { kind: 'made', bytes: this.#buffers.take(), lengths }
  }

  #add(page: EntryPage, index: number, entry: Uint8Array, end: number): void {
    this.#buffers.add(entry)
    this.#buffers.addByte(end)
    this.#enter(page, index, entry.byteLength + 1)
  }

  async #copy(earlier: EarlierDocument, page: EntryPage, index: number, position: number): Promise<void> {
    if (this.#repeated) await this.#makeRun()
    const entry = await earlier.entryAt(position)
    this.#buffers.add(entry)
    this.#enter(page, index, entry.byteLength)
  }

  /** It turned out not to be as it was. */
  async #makeRun(): Promise<void> {
    const repeated = this.#repeated
    if (!repeated || !this.#earlier) return
    this.#repeated = null
    const { first } = repeated.run
    for (let index = 0; index < repeated.count; index++) {
      const found = this.#earlier.entryAt(first + index)
      const entry = found instanceof Promise ? await found : found
      this.#buffers.add(entry)
      this.#lengths[index] = entry.byteLength
    }
  }

  #enter(page: EntryPage, index: number, length: number): void {
    this.ids.add(page, index)
    this.#lengths.push(length)
    const key = page.keys[index] ?? ''
    const repeated = this.#repeated
    this.#isEnded = repeated
      ? repeated.count === repeated.run.count && this.#endsWith(repeated.run, key)
      : this.#buffers.size >= maxRunBytes || endsRun(key, this.#average, this.#lengths.length)
  }

  /** Whether a run ends with its last entry, whatever follows: for its key, or because it grew long. */
  #endsWith({ count, openSize }: EarlierRun, lastKey: string): boolean {
    return openSize >= maxRunBytes || endsRun(lastKey, this.#average, count)
  }
}
