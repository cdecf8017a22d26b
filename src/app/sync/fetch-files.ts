import type { BlobRef } from '../../core/bytes.ts'
import type { ChantalError } from '../../core/errors.ts'
import type { UpstreamFile } from '../../core/model.ts'
import type { DownloadOutcome, UpstreamClient } from '../../download/downloader.ts'
import type { ReceivedBlob } from '../../pool/pool.ts'
import type { AppContext } from '../context.ts'
import { keepBlobs } from '../keep-blobs.ts'
import { isAbsent, isAbsentAtSome } from './absence.ts'
import { type DistinctFiles, distinctFiles } from './distinct-files.ts'
import { findHeldBlobs } from './held-blobs.ts'

/** A batch is flushed and recorded together: smaller costs flushes, larger costs memory and what a crash loses. */
const batchFiles = 4000
const batchBytes = 1024 ** 3

/** After so many failures in a row, none of them for want of the file, upstream is taken to be down. */
const failuresInARow = 32

export interface FailedFile {
  readonly file: UpstreamFile
  readonly url: string
  readonly error: ChantalError
}

export interface FetchedFiles {
  /** For every file that the pool now holds. */
  readonly blobs: ReadonlyMap<UpstreamFile, BlobRef>
  /** But for optional files that upstream does not have. */
  readonly failed: readonly FailedFile[]
  readonly fetchedFiles: number
  readonly fetchedBytes: number
}

type Kept = (files: Iterable<UpstreamFile>, blobs: FetchedFiles['blobs']) => Promise<void>

export interface WantedFiles {
  readonly held: ReadonlyMap<UpstreamFile, BlobRef>
  readonly wanted: readonly UpstreamFile[]
  /** Files that are the same as one that is wanted, by that one. */
  readonly twins: DistinctFiles['twins']
}

/** The files that the pool does not hold yet, each once. Files known by nothing, lacking a checksum, are always among them. */
export async function findWantedFiles(
  context: AppContext,
  files: readonly UpstreamFile[],
): Promise<WantedFiles> {
  const held = new Map<UpstreamFile, BlobRef>()
  const wanted: UpstreamFile[] = []
  for (let start = 0; start < files.length; start += batchFiles) {
    const batch = files.slice(start, start + batchFiles)
    const blobs = await findHeldBlobs(
      context,
      batch.map((file) => file.expect),
    )
    for (const [index, file] of batch.entries()) {
      const blob = blobs[index]
      if (blob) held.set(file, blob)
      else wanted.push(file)
    }
  }
  const { distinct, twins } = distinctFiles(wanted)
  return { held, wanted: distinct, twins }
}

/**
 * Downloads what is wanted and keeps it batch by batch, while the next batch arrives. A failure is a value: what could be
 * had is in the pool afterwards, for the next try.
 */
export async function fetchFiles(
  context: AppContext,
  input: WantedFiles & {
    readonly repository: string
    readonly client: UpstreamClient
    /** Told of files that the pool holds, batch by batch, one at a time: what it does is done beside the download of the next. */
    readonly kept: Kept
  },
  signal: AbortSignal,
): Promise<FetchedFiles> {
  const { repository, client, wanted, twins, kept } = input
  const blobs = new Map(input.held)
  const failed: FailedFile[] = []
  const totalBytes = wanted.reduce((sum, { expect }) => sum + (expect.size ?? 0), 0)
  let fetchedFiles = 0
  let fetchedBytes = 0
  let absentFiles = 0
  let failedFiles = 0
  let inARow = 0
  await using batch = new KeepQueue(context, { blobs, kept }, signal)
  await kept(input.held.keys(), blobs)

  for await (const outcome of fetchAnywhere(client, wanted, signal)) {
    if (outcome.ok) {
      inARow = 0
      fetchedFiles += 1
      fetchedBytes += outcome.blob.size
      await batch.add(outcome)
    } else if (outcome.file.isOptional && isAbsentHere(outcome.error)) {
      inARow = 0
      absentFiles += 1
    } else {
      const { file, url, error } = outcome
      for (const each of [file, ...(twins.get(file) ?? [])]) failed.push({ file: each, url, error })
      failedFiles += 1
      context.reporter.report({
        type: 'download.failed',
        repository,
        path: file.path,
        url,
        code: error.code,
        message: error.message,
      })
      inARow = error.code === 'UPSTREAM_UNREACHABLE' || error.code === 'UPSTREAM_REFUSED' ? inARow + 1 : 0
      if (inARow >= failuresInARow) break
    }
    context.reporter.report({
      type: 'download.advanced',
      repository,
      files: fetchedFiles + absentFiles + failedFiles,
      totalFiles: wanted.length,
      bytes: fetchedBytes,
      totalBytes,
    })
  }
  await batch.finish()
  for (const [file, others] of twins) {
    const blob = blobs.get(file)
    if (blob) for (const other of others) blobs.set(other, blob)
  }
  return { blobs, failed, fetchedFiles, fetchedBytes }
}

/** A mirror that answers without the file settles it: of others in the list one is always down. */
function isAbsentHere(error: ChantalError): boolean {
  return isAbsent(error) || isAbsentAtSome(error)
}

/** Asks for what upstream does not have at one place at the other, after all the rest. */
async function* fetchAnywhere(
  client: UpstreamClient,
  files: readonly UpstreamFile[],
  signal: AbortSignal,
): AsyncGenerator<DownloadOutcome> {
  const elsewhere = new Map<UpstreamFile, UpstreamFile>()
  for await (const outcome of client.fetchAll(files, signal)) {
    const { fallback } = outcome.file
    if (outcome.ok || fallback === undefined || !isAbsentHere(outcome.error)) yield outcome
    else elsewhere.set({ ...outcome.file, location: fallback }, outcome.file)
  }
  for await (const outcome of client.fetchAll(elsewhere.keys(), signal))
    yield { ...outcome, file: elsewhere.get(outcome.file) ?? outcome.file }
}

/** Collects received blobs and keeps them in batches, one batch at a time, beside the download of the next. */
class KeepQueue implements AsyncDisposable {
  readonly #context: AppContext
  readonly #blobs: Map<UpstreamFile, BlobRef>
  readonly #kept: Kept
  readonly #signal: AbortSignal
  #files: UpstreamFile[] = []
  #received: ReceivedBlob[] = []
  #bytes = 0
  #running: Promise<void> = Promise.resolve()
  /** What is done with the files of the batch before. */
  #telling: Promise<void> = Promise.resolve()

  constructor(
    context: AppContext,
    { blobs, kept }: { blobs: Map<UpstreamFile, BlobRef>; kept: Kept },
    signal: AbortSignal,
  ) {
    this.#context = context
    this.#blobs = blobs
    this.#kept = kept
    this.#signal = signal
  }

  async add({ file, blob }: DownloadOutcome & { ok: true }): Promise<void> {
    this.#files.push(file)
    this.#received.push(blob)
    this.#bytes += blob.size
    if (this.#files.length < batchFiles && this.#bytes < batchBytes) return
    await this.#running
    this.#running = this.#keep(this.#signal)
    // Awaited by the next batch or by finish; a rejection meanwhile is not unhandled.
    this.#running.catch(() => {})
  }

  async finish(): Promise<void> {
    await this.#running
    await this.#keep(this.#signal)
    await this.#telling
  }

  /** After an interruption or an error, what arrived is kept all the same: the next try need not fetch it again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.catch(() => {})
    await this.#telling.catch(() => {})
    if (this.#received.length > 0) await this.#keep(AbortSignal.timeout(30_000)).catch(() => {})
  }

  async #tell(files: readonly UpstreamFile[]): Promise<void> {
    await this.#telling
    this.#telling = this.#kept(files, this.#blobs)
    // Awaited before the next, or by finish.
    this.#telling.catch(() => {})
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const [files, received] = [this.#files, this.#received]
    this.#files = []
    this.#received = []
    this.#bytes = 0
    try {
      const stored = await keepBlobs(this.#context, received, signal)
      for (const [index, file] of files.entries()) {
        const blob = stored[index]
        if (blob) this.#blobs.set(file, { digest: blob.digest, size: blob.size })
      }
      const checksums = files.flatMap((file, index) => {
        const digest = stored[index]?.digest
        const foreign = file.expect.checksums.filter(
          ({ algorithm }) => algorithm !== 'sha256' && algorithm !== 'md5',
        )
        return digest ? foreign.map((checksum) => ({ digest, checksum })) : []
      })
      if (checksums.length > 0)
        await this.#context.catalog.write((writer) => writer.addBlobChecksums(checksums))
    } catch (error) {
      for (const blob of received) await blob[Symbol.asyncDispose]()
      throw error
    }
    // What is saved from an interruption is for the next try.
    if (signal === this.#signal) await this.#tell(files)
  }
}
