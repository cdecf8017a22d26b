import { type BlobRef, type ByteSource, readWhole } from '../../core/bytes.ts'
import type { Expectation, Sha256 } from '../../core/digest.ts'
import { isChantalError } from '../../core/errors.ts'
import type { StoredFile, UpstreamFile } from '../../core/model.ts'
import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { UpstreamClient } from '../../download/downloader.ts'
import type { FetchedFile, MetadataFetcher } from '../../ecosystems/ecosystem.ts'
import { CheckedReadings } from '../checked-readings.ts'
import type { AppContext } from '../context.ts'
import { keepBlobs } from '../keep-blobs.ts'
import { isAbsent, isAbsentAtSome } from './absence.ts'
import type { RememberedDocument } from './checkpoint.ts'
import { findHeldBlobs } from './held-blobs.ts'

/**
 * Fetches the metadata of one sync into the pool: what the pool holds by checksum is not asked for again, and what has no
 * checksum (root documents) is asked for conditionally. Notes the validators of the latter for the next sync.
 */
export class MetadataSession implements MetadataFetcher {
  /** Root documents as they are upstream now. */
  readonly documents = new Map<string, RememberedDocument>()
  fetchedFiles = 0
  fetchedBytes = 0
  readonly #context: AppContext
  readonly #readings: CheckedReadings
  /** Compared with its digest while it arrived; the pool has it, and no damaged file by its name. */
  readonly #arrived = new Set<Sha256>()
  readonly #repository: string
  readonly #client: UpstreamClient
  readonly #before: ReadonlyMap<string, RememberedDocument>
  readonly #isConditional: boolean
  readonly #signal: AbortSignal

  constructor(
    context: AppContext,
    terms: {
      readonly repository: string
      readonly client: UpstreamClient
      readonly before: ReadonlyMap<string, RememberedDocument>
      /** `false` asks for every root document's bytes. */
      readonly isConditional: boolean
    },
    signal: AbortSignal,
  ) {
    this.#context = context
    this.#readings = new CheckedReadings(context.pool)
    this.#repository = terms.repository
    this.#client = terms.client
    this.#before = terms.before
    this.#isConditional = terms.isConditional
    this.#signal = signal
  }

  fetch(path: RelativePath, expect: Expectation): Promise<FetchedFile> {
    return this.#fetch({ path, location: path, expect })
  }

  async #fetch(file: UpstreamFile): Promise<FetchedFile> {
    const { path, expect } = file
    const stored = expect.checksums.length > 0 ? await this.#byChecksum(file) : await this.#document(file)
    const before = this.#before.get(path)
    const isUnchanged = before?.digest === stored.digest
    const pooled = { ...stored, path }
    const { digest } = stored
    return new PooledFile(pooled, isUnchanged, () =>
      this.#arrived.has(digest) ? this.#context.pool.read(digest) : this.#readings.of([pooled])(digest),
    )
  }

  /**
   * Does work that reads what was fetched here. Where the pool has damaged something of it, that is why it failed.
   * @throws ChantalError `BLOB_CORRUPT`, and what the work throws
   */
  guard<T>(work: () => Promise<T>): Promise<T> {
    return this.#readings.guard(work)
  }

  async fetchOptional(
    path: RelativePath,
    expect: Expectation,
    terms: { readonly isGuess?: boolean } = {},
  ): Promise<FetchedFile | null> {
    // What the latest revision has is not given up because some mirrors lack it, or lack it while others are down.
    const isNew = expect.checksums.length === 0 && !this.#before.has(path)
    const isGuess = terms.isGuess === true && isNew && !this.documents.has(path)
    try {
      return await this.#fetch({ path, location: path, expect, isGuess })
    } catch (error) {
      if (isAbsent(error) || (isNew && isAbsentAtSome(error))) return null
      throw error
    }
  }

  /** Whether root documents differ from those of an earlier reading: upstream moved on meanwhile. */
  differsFrom(earlier: MetadataSession): boolean {
    return [...this.documents].some(([path, { digest }]) => {
      const other = earlier.documents.get(path)
      return other !== undefined && other.digest !== digest
    })
  }

  /** Asks for the root documents once more: whether upstream shows others by now. */
  async hasMovedOn(): Promise<boolean> {
    const maxSize = this.#context.settings.limits.rootDocument
    for (const [path, { digest }] of this.documents) {
      try {
        const location = parseRelativePath(path)
        const file = { path: location, location, expect: { checksums: [], maxSize } }
        const result = await this.#client.fetch(file, null, this.#signal)
        if (result.status === 'unchanged') continue
        await using blob = result.blob
        if (blob.digest !== digest) return true
      } catch (error) {
        // Where it cannot be told, what went wrong before says more.
        if (!isChantalError(error)) throw error
      }
    }
    return false
  }

  async #byChecksum(file: UpstreamFile): Promise<BlobRef> {
    const { path, expect } = file
    const [held] = await findHeldBlobs(this.#context, [expect])
    if (held) return held
    const result = await this.#client.fetch(file, null, this.#signal)
    if (result.status === 'unchanged') throw new Error(`304 for an unconditional request: ${path}`)
    const stored = await this.#keep(path, result.blob)
    const foreign = expect.checksums.filter(({ algorithm }) => algorithm !== 'sha256')
    if (foreign.length > 0) {
      await this.#context.catalog.write((writer) =>
        writer.addBlobChecksums(foreign.map((checksum) => ({ digest: stored.digest, checksum }))),
      )
    }
    return stored
  }

  async #document(file: UpstreamFile): Promise<BlobRef> {
    const { path } = file
    const before = this.#before.get(path)
    const isUsable =
      this.#isConditional && before?.validators != null && (await this.#context.pool.has(before.digest))
    const since = isUsable ? before.validators : null
    const result = await this.#client.fetch(file, since, this.#signal)
    if (result.status === 'unchanged') {
      if (!isUsable) throw new Error(`304 for an unconditional request: ${path}`)
      this.documents.set(path, before)
      return before
    }
    const stored = await this.#keep(path, result.blob)
    this.documents.set(path, { validators: result.validators, digest: stored.digest, size: stored.size })
    return stored
  }

  async #keep(path: RelativePath, blob: BlobRef & AsyncDisposable): Promise<BlobRef> {
    await using received = blob
    const [stored] = await keepBlobs(this.#context, [received], this.#signal)
    if (!stored) throw new Error('the pool kept nothing')
    this.#arrived.add(stored.digest)
    this.fetchedFiles += 1
    this.fetchedBytes += stored.size
    this.#context.reporter.report({
      type: 'metadata.fetched',
      repository: this.#repository,
      path,
      bytes: stored.size,
    })
    return { digest: stored.digest, size: stored.size }
  }
}

class PooledFile implements FetchedFile {
  readonly path: StoredFile['path']
  readonly digest: StoredFile['digest']
  readonly size: number
  readonly isUnchanged: boolean
  readonly stream: () => ByteSource

  constructor(file: StoredFile, isUnchanged: boolean, stream: () => ByteSource) {
    this.path = file.path
    this.digest = file.digest
    this.size = file.size
    this.isUnchanged = isUnchanged
    this.stream = stream
  }

  bytes(): Promise<Uint8Array> {
    return readWhole(this.stream())
  }
}
