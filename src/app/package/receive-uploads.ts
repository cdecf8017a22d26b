import { createHash } from 'node:crypto'
import type { BlobRef, ByteSource } from '../../core/bytes.ts'
import type { ChecksumAlgorithm } from '../../core/digest.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { PackageUploads, UploadedPackage, UploadTerms } from '../../ecosystems/ecosystem.ts'
import type { ReceivedBlob } from '../../pool/pool.ts'
import type { AppContext } from '../context.ts'
import { keepBlobs } from '../keep-blobs.ts'
import type { PackageSource } from './find-package-files.ts'

/** A batch is flushed and recorded together. */
const batchFiles = 500
const batchBytes = 1024 ** 3

/** A file in the pool, and the package that it is. */
export interface DescribedUpload {
  /** As messages and results call it. */
  readonly label: string
  readonly blob: BlobRef
  readonly described: UploadedPackage
}

/** A file in the pool. */
interface Received {
  readonly label: string
  /** Without folders. */
  readonly name: string
  readonly blob: BlobRef
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>
}

/**
 * Takes files into the pool and reads from there what packages they are: what is described are the bytes that are kept. What is no
 * package stays in the pool without a name until garbage is collected.
 * @throws ChantalError that names the file: `SIZE_LIMIT`, `DISK_FULL`, `NOT_WRITABLE`, and what describing throws
 */
export async function receiveUploads(
  context: AppContext,
  input: {
    readonly repository: string
    readonly uploads: PackageUploads
    readonly terms: UploadTerms
    readonly files: readonly PackageSource[]
  },
  signal: AbortSignal,
): Promise<readonly DescribedUpload[]> {
  const { repository, uploads, terms, files } = input
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0)
  const all: DescribedUpload[] = []
  let bytes = 0
  for (const batch of batches(files)) {
    const received: { readonly file: Omit<Received, 'blob'>; readonly blob: ReceivedBlob }[] = []
    let kept: readonly Received[]
    try {
      for (const source of batch) {
        const hashing = new Hashing(uploads.checksums)
        const blob = await naming(source, () => receive(context, hashing.of(source.read()), signal))
        const { label, name } = source
        received.push({ file: { label, name, checksums: hashing.results(blob.digest) }, blob })
        bytes += blob.size
        context.reporter.report({
          type: 'download.advanced',
          repository,
          files: all.length + received.length,
          totalFiles: files.length,
          bytes,
          totalBytes,
        })
      }
      const blobs = received.map(({ blob }) => blob)
      const stored = await keepBlobs(context, blobs, signal)
      kept = received.map(({ file }, index) => ({ ...file, blob: refOf(stored[index]) }))
    } catch (error) {
      for (const { blob } of received) await blob[Symbol.asyncDispose]()
      throw error
    }
    for (const each of kept) {
      signal.throwIfAborted()
      const described = await naming(each, () => describe(context, uploads, each, terms))
      all.push({ label: each.label, blob: each.blob, described })
    }
  }
  return all
}

/**
 * Reads what packages files of the pool are; their checksums other than SHA-256 are computed, where the ecosystem needs any.
 * @throws ChantalError that names the file, as describing throws
 */
export async function describeStored(
  context: AppContext,
  input: {
    readonly uploads: PackageUploads
    readonly terms: UploadTerms
    readonly files: readonly Omit<Received, 'checksums'>[]
  },
  signal: AbortSignal,
): Promise<readonly DescribedUpload[]> {
  const { uploads, terms, files } = input
  const all: DescribedUpload[] = []
  for (const file of files) {
    signal.throwIfAborted()
    const hashing = new Hashing(uploads.checksums)
    if (uploads.checksums.length > 0)
      for await (const _ of hashing.of(context.pool.read(file.blob.digest))) signal.throwIfAborted()
    const each = { ...file, checksums: hashing.results(file.blob.digest) }
    const described = await naming(each, () => describe(context, uploads, each, terms))
    all.push({ label: file.label, blob: file.blob, described })
  }
  return all
}

function receive(
  { pool, settings }: AppContext,
  source: ByteSource,
  signal: AbortSignal,
): Promise<ReceivedBlob> {
  return pool.receive(source, { checksums: [], maxSize: settings.limits.package }, signal)
}

function describe(
  { pool }: AppContext,
  uploads: PackageUploads,
  { name, blob, checksums }: Received,
  terms: UploadTerms,
): Promise<UploadedPackage> {
  const { digest, size } = blob
  return uploads.describe(
    {
      name,
      size,
      checksums,
      head: (maxBytes) => pool.readHead(digest, Math.min(maxBytes, size)),
      read: (start) => pool.read(digest, start === undefined ? undefined : { start, end: size }),
    },
    terms,
  )
}

/** Computes checksums while bytes pass. */
class Hashing {
  readonly #hashes: ReadonlyMap<ChecksumAlgorithm, ReturnType<typeof createHash>>

  constructor(algorithms: PackageUploads['checksums']) {
    this.#hashes = new Map(algorithms.map((algorithm) => [algorithm, createHash(algorithm)]))
  }

  async *of(source: ByteSource): ByteSource {
    for await (const chunk of source) {
      for (const hash of this.#hashes.values()) hash.update(chunk)
      yield chunk
    }
  }

  results(sha256: string): ReadonlyMap<ChecksumAlgorithm, string> {
    const others = [...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')] as const)
    return new Map<ChecksumAlgorithm, string>([['sha256', sha256], ...others])
  }
}

/** Says in an error which of many files it is about. */
async function naming<T>({ label }: Pick<Received, 'label'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isChantalError(error)) throw error
    throw new ChantalError(error.code, `${label}: ${error.message}`, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
      details: { ...error.details, file: label },
    })
  }
}

function refOf(blob: BlobRef | undefined): BlobRef {
  if (!blob) throw new Error('fewer blobs were kept than received')
  return { digest: blob.digest, size: blob.size }
}

function* batches(files: readonly PackageSource[]): Generator<readonly PackageSource[]> {
  let batch: PackageSource[] = []
  let bytes = 0
  for (const file of files) {
    batch.push(file)
    bytes += file.size
    if (batch.length < batchFiles && bytes < batchBytes) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}
