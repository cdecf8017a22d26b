import { compress, compressedExtension, type WrittenFormat } from '../../codec/compression.ts'
import { MeasuredContent } from '../../codec/measured-content.ts'
import type { DocumentNotes } from '../../codec/runs/document-notes.ts'
import { DocumentWriter, type OpenFacts, openPieces } from '../../codec/runs/document-writer.ts'
import type { EarlierDocument } from '../../codec/runs/earlier-document.ts'
import type { EntryPage } from '../../codec/runs/entry-ids.ts'
import { type Run, RunCollector } from '../../codec/runs/run-collector.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { PublicationSink, WrittenFile } from '../../core/publication.ts'
import { hashPath } from './fetch-indexes.ts'
import type { ReleaseFile } from './formats/release.ts'
import { inSuite, type SuitePlace } from './suites.ts'

/** Where the files of one suite go, and how. */
export interface SuiteSink {
  readonly place: SuitePlace
  readonly sink: PublicationSink
  readonly compression: WrittenFormat
  readonly notes: DocumentNotes
  /** What the Release file is to list. */
  readonly listed: ReleaseFile[]
}

/** Stanzas in a run, on average: fewer are compressed anew for one that changed, more are smaller together. Some 128 KiB. */
const runStanzas = 64

/**
 * An index that is written while stanzas come for it and for others. Release lists it compressed, and as it is before, which is not
 * served: clients check both.
 */
export class IndexFile {
  readonly #queue = new RunQueue()
  readonly #written: Promise<void>
  readonly #earlier: EarlierDocument | null
  readonly #runs: RunCollector

  /** @param name relative to the Release file, without the extension of a compression */
  constructor(to: SuiteSink, name: string) {
    this.#earlier = to.notes.earlier(inSuite(to.place, name), to.compression)
    this.#runs = new RunCollector(runStanzas, this.#earlier, waitingRuns + 1)
    this.#written = writeRuns(to, name, { pieces: this.#queue, runs: this.#runs, earlier: this.#earlier })
    // Whoever adds the next run hears of it, or whoever finishes.
    this.#written.catch((error: unknown) => this.#queue.fail(error))
  }

  /** Whether the tree before has this entry, so that it need not be made. */
  has(page: EntryPage, index: number): boolean {
    return this.#runs.find(page, index) >= 0
  }

  /** The stanza that the tree before has, with the empty line after it. It may not last. */
  stanzaOf(page: EntryPage, index: number): Uint8Array | Promise<Uint8Array> {
    if (!this.#earlier) throw new Error('there is no earlier index')
    return this.#earlier.entryAt(this.#runs.find(page, index))
  }

  /** @param stanza without the empty line after it; copied at once. `null` where the tree before {@link has} it */
  add(page: EntryPage, index: number, stanza: Uint8Array | null): Promise<void> | void {
    const position = this.#runs.find(page, index)
    const pending = position >= 0 ? this.#runs.repeat(page, index, position) : this.#make(page, index, stanza)
    if (pending) return pending.then(() => this.#flushIfEnded())
    return this.#flushIfEnded()
  }

  async finish(): Promise<void> {
    await this.#flush()
    this.#queue.end()
    await this.#written
  }

  /** Waits until nothing is written any more. */
  async abandon(reason: unknown): Promise<void> {
    this.#queue.fail(reason)
    await this.#written.catch(() => {})
  }

  #make(page: EntryPage, index: number, stanza: Uint8Array | null): Promise<void> | void {
    if (!stanza) throw new Error(`no stanza of ${page.keys[index]}`)
    const isEnded = stanza.at(-1) === lineFeed
    return this.#runs.add(page, index, isEnded ? stanza : Buffer.concat([stanza, oneLineFeed]), lineFeed)
  }

  #flushIfEnded(): Promise<void> | void {
    if (this.#runs.isEnded) return this.#flush()
  }

  async #flush(): Promise<void> {
    const run = await this.#runs.take()
    if (run) await this.#queue.push(run)
  }
}

const lineFeed = 0x0a
const oneLineFeed = Buffer.from('\n')

/** Runs that wait to be compressed: few, so that the fastest index does not run ahead of the slowest disk. */
const waitingRuns = 2

class RunQueue {
  #runs: Run[] = []
  #isEnded = false
  #failure: { readonly error: unknown } | null = null
  #changed = Promise.withResolvers<void>()

  async push(run: Run): Promise<void> {
    while (this.#runs.length >= waitingRuns && !this.#failure) await this.#changed.promise
    if (this.#failure) throw this.#failure.error
    this.#runs.push(run)
    this.#notify()
  }

  end(): void {
    this.#isEnded = true
    this.#notify()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#notify()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Run> {
    while (true) {
      if (this.#failure) throw this.#failure.error
      const run = this.#runs.shift()
      if (run) {
        this.#notify()
        yield run
      } else if (this.#isEnded) return
      else await this.#changed.promise
    }
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}

async function writeRuns(
  to: SuiteSink,
  name: string,
  content: {
    readonly pieces: AsyncIterable<Run>
    readonly runs: RunCollector
    readonly earlier: EarlierDocument | null
  },
): Promise<void> {
  const { compression: format } = to
  if (format === 'xz') return writeIndex(to, name, openPieces(content.pieces))
  const writer = new DocumentWriter(format, content.earlier)
  const { path } = await put(to, `${name}${compressedExtension(format)}`, writer.pass(content.pieces))
  const { open, start, notes } = writer.finish()
  const { ids } = content.runs
  to.notes.add({ name: inSuite(to.place, name), format, ids, path, start, notes })
  listOpen(to, name, open)
}

/** An index whose content comes as a whole. */
export async function writeIndex(to: SuiteSink, name: string, content: ByteSource): Promise<void> {
  const open = new MeasuredContent(content)
  await put(to, `${name}${compressedExtension(to.compression)}`, compress(to.compression, open))
  listOpen(to, name, open.finish())
}

/** What an index is before compression. */
function listOpen({ listed }: SuiteSink, path: string, { checksum, size }: OpenFacts): void {
  listed.push({ path, size, checksums: [checksum] })
}

/** A file as it is: for Release to list, and under its checksum, where it stays for clients that are midway. */
export async function put(
  to: SuiteSink,
  name: string,
  content: ByteSource | Uint8Array | string,
): Promise<WrittenFile> {
  const written = await to.sink.write(inSuite(to.place, name), content, 'plain')
  await list(to, name, written)
  return written
}

/** Lists a file that stands in the tree. */
async function list(
  { place, sink, listed }: SuiteSink,
  name: string,
  { size, checksums }: Pick<WrittenFile, 'size' | 'checksums'>,
): Promise<void> {
  const checksum = checksums.find(({ algorithm }) => algorithm === 'sha256')
  if (!checksum) throw new Error('the sink gives no SHA-256')
  listed.push({ path: name, size, checksums: [checksum] })
  await sink.alias(hashPath(place, name, checksum), inSuite(place, name), 'addressed')
}
