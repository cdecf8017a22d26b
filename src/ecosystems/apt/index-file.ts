import { compress, compressedExtension, type WrittenFormat } from '../../codec/compression.ts'
import { MeasuredContent, ownChunks } from '../../codec/measured-content.ts'
import type { RepeatedRuns } from '../../codec/repeated-runs.ts'
import { RunBuffers } from '../../codec/run-buffers.ts'
import { compressRuns, type MadeRun } from '../../codec/run-compression.ts'
import { endsRun, maxRunBytes } from '../../codec/run-ends.ts'
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
  readonly runs: RepeatedRuns
  /** What the Release file is to list. */
  readonly listed: ReleaseFile[]
}

/** Stanzas in a run, on average: fewer are compressed anew for one that changed, more are smaller together. Some 128 KiB. */
const runStanzas = 128

/**
 * An index that is written while stanzas come for it and for others. Release lists it compressed, and as it is before, which is not
 * served: clients check both.
 */
export class IndexFile {
  readonly #queue = new RunQueue()
  readonly #written: Promise<void>
  readonly #runs = new RunBuffers(waitingRuns + 1)

  /** @param name relative to the Release file, without the extension of a compression */
  constructor(to: SuiteSink, name: string) {
    this.#written = writeRuns(to, name, this.#queue)
    // Whoever adds the next run hears of it, or whoever finishes.
    this.#written.catch((error: unknown) => this.#queue.fail(error))
  }

  /** @param stanza without the empty line after it. Copied at once */
  add(key: string, stanza: Uint8Array): Promise<void> | void {
    const isEnded = stanza.at(-1) === lineFeed
    this.#runs.add(isEnded ? stanza : Buffer.concat([stanza, oneLineFeed]), lineFeed, null)
    if (this.#runs.size >= maxRunBytes || endsRun(key, runStanzas, this.#runs.length)) return this.#flush()
  }

  async finish(): Promise<void> {
    if (this.#runs.size > 0) await this.#flush()
    this.#queue.end()
    await this.#written
  }

  /** Waits until nothing is written any more. */
  async abandon(reason: unknown): Promise<void> {
    this.#queue.fail(reason)
    await this.#written.catch(() => {})
  }

  #flush(): Promise<void> {
    return this.#queue.push(this.#runs.take())
  }
}

const lineFeed = 0x0a
const oneLineFeed = Buffer.from('\n')

/** Runs that wait to be compressed: few, so that the fastest index does not run ahead of the slowest disk. */
const waitingRuns = 2

class RunQueue {
  #runs: (Uint8Array | MadeRun)[] = []
  #isEnded = false
  #failure: { readonly error: unknown } | null = null
  #changed = Promise.withResolvers<void>()

  async push(run: Uint8Array | MadeRun): Promise<void> {
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

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array | MadeRun> {
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
  content: AsyncIterable<Uint8Array | MadeRun>,
): Promise<void> {
  const { compression, runs } = to
  if (compression === 'xz') return writeIndex(to, name, ownChunks(content))
  const open = new MeasuredContent(content)
  const file = runs.startFile(compression)
  const bytes = compressRuns(compression, open, (digest) => runs.find(compression, digest))
  const written = await put(to, `${name}${compressedExtension(compression)}`, file.pass(bytes))
  file.finish(written.path)
  listOpen(to, name, open)
}

/** An index whose content comes as a whole. */
export async function writeIndex(to: SuiteSink, name: string, content: ByteSource): Promise<void> {
  const open = new MeasuredContent(content)
  await put(to, `${name}${compressedExtension(to.compression)}`, compress(to.compression, open))
  listOpen(to, name, open)
}

/** What an index is before compression. */
function listOpen({ listed }: SuiteSink, path: string, open: MeasuredContent<Uint8Array | MadeRun>): void {
  const { checksum, size } = open.finish()
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
