import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import { accessOf } from '../../config/access.ts'
import type { BlobRef } from '../../core/bytes.ts'
import type { Expectation, Sha256 } from '../../core/digest.ts'
import { isChantalError } from '../../core/errors.ts'
import type { PackageKey, RepositoryId } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { UpstreamClient } from '../../download/downloader.ts'
import type { ReceivedBlob } from '../../pool/pool.ts'
import type { PublishedCopies } from '../../publish/published-copies.ts'
import { ecosystemOf } from '../configured.ts'
import type { AppContext } from '../context.ts'

type BlobUser = Awaited<ReturnType<CatalogReader['blobUsers']>>[number]

/** Where upstream has a blob. */
interface BlobSource {
  readonly repository: RepositoryId
  readonly path: RelativePath
  /** Where it is not at its path below the feed. */
  readonly elsewhere: URL | null
}

const pageDigests = 1000

/**
 * Where blobs can be had that the pool has lost: published trees, where files of their own still have the bytes, and the configured repositories
 * that they came from. Each upstream is opened once, for all that it is asked for.
 */
export class BlobSources implements AsyncDisposable {
  readonly #context: AppContext
  readonly #copies: PublishedCopies
  readonly #sources: ReadonlyMap<Sha256, readonly BlobSource[]>
  readonly #clients = new Map<RepositoryId, Promise<UpstreamClient | null>>()

  private constructor(
    context: AppContext,
    copies: PublishedCopies,
    sources: ReadonlyMap<Sha256, readonly BlobSource[]>,
  ) {
    this.#context = context
    this.#copies = copies
    this.#sources = sources
  }

  static async find(context: AppContext, blobs: readonly BlobRef[]): Promise<BlobSources> {
    const digests = blobs.map(({ digest }) => digest)
    const sources = await context.catalog.read(async (reader) => {
      const users: BlobUser[] = []
      for (let start = 0; start < digests.length; start += pageDigests)
        users.push(...(await reader.blobUsers(...digests.slice(start, start + pageDigests))))
      return locate(context, reader, users)
    })
    const copies = await context.publications.copies(blobs)
    for (const { path, reason } of copies.troubles) {
      const message = `no copies are taken from ${path}: ${reason}`
      context.reporter.report({ type: 'warning', code: 'PUBLICATION_UNREADABLE', message })
    }
    return new BlobSources(context, copies, sources)
  }

  /** @returns its bytes, received by the pool and not yet kept; or why they cannot be had */
  async fetch({ digest, size }: BlobRef, signal: AbortSignal): Promise<ReceivedBlob | string> {
    const expect = { size, checksums: [{ algorithm: 'sha256' as const, hex: digest }], maxSize: size }
    const copy = await this.#takeCopy(digest, expect, signal)
    if (copy) return copy
    let reason = 'no configured repository has it'
    for (const { repository, path, elsewhere } of this.#sources.get(digest) ?? []) {
      try {
        const client = await this.#clientOf(repository, signal)
        if (client === null) {
          if (this.#isHosted(repository)) reason = `${repository}: it was uploaded`
          continue
        }
        const result = await client.fetch({ path, location: elsewhere ?? path, expect }, null, signal)
        if (result.status === 'fetched') return result.blob
      } catch (error) {
        signal.throwIfAborted()
        if (!isChantalError(error)) throw error
        reason = `${repository}: ${error.message}`
      }
    }
    return reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#clients.values()) {
      const client = await opening.catch(() => null)
      await client?.[Symbol.asyncDispose]()
    }
  }

  /** @returns the bytes, where a published file still has them */
  async #takeCopy(digest: Sha256, expect: Expectation, signal: AbortSignal): Promise<ReceivedBlob | null> {
    for (const copy of this.#copies.of(digest)) {
      try {
        return await this.#context.pool.receive(copy, expect, signal)
      } catch (error) {
        // Most are links to the very file that is damaged; some may not be read, or are gone since.
        if (!isChantalError(error, 'CHECKSUM_MISMATCH', 'SIZE_LIMIT', 'NOT_FOUND')) throw error
      }
    }
    return null
  }

  #clientOf(repository: RepositoryId, signal: AbortSignal): Promise<UpstreamClient | null> {
    const opening = this.#clients.get(repository) ?? this.#open(repository, signal)
    this.#clients.set(repository, opening)
    return opening
  }

  #isHosted(repository: RepositoryId): boolean {
    const { repositories } = this.#context.settings
    return repositories.some(({ id, mode }) => id === repository && mode === 'hosted')
  }

  /** `null` where it has no upstream. */
  async #open(repository: RepositoryId, signal: AbortSignal): Promise<UpstreamClient | null> {
    const { settings, downloader } = this.#context
    const configured = settings.repositories.find(({ id }) => id === repository)
    const access = configured ? accessOf(configured) : null
    return access && downloader.open(access, signal)
  }
}

async function locate(
  context: AppContext,
  reader: CatalogReader,
  users: readonly BlobUser[],
): Promise<ReadonlyMap<Sha256, readonly BlobSource[]>> {
  const elsewhere = new Map<BlobUser, URL>()
  // A package's entry is the same in all revisions that hold it, so the newest tells.
  const byRevision = Map.groupBy(
    users.filter(({ key }) => key !== null),
    ({ repository, revisions }) => `${repository} ${Math.max(...revisions)}`,
  )
  for (const ofRevision of byRevision.values())
    for (const [user, address] of await addressesOf(context, reader, ofRevision)) elsewhere.set(user, address)
  const sources = users.map((user) => {
    const { digest, repository, path } = user
    return { digest, source: { repository, path, elsewhere: elsewhere.get(user) ?? null } }
  })
  return new Map(
    [...Map.groupBy(sources, ({ digest }) => digest)].map(([digest, found]) => [
      digest,
      found.map(({ source }) => source),
    ]),
  )
}

/** Of packages of one revision, which is read through once. */
async function addressesOf(
  context: AppContext,
  reader: CatalogReader,
  users: readonly BlobUser[],
): Promise<ReadonlyMap<BlobUser, URL>> {
  const found = new Map<BlobUser, URL>()
  const [first] = users
  const settings = context.settings.repositories.find(({ id }) => id === first?.repository)
  const addresses = settings && ecosystemOf(context, settings).addresses
  const revision =
    first && addresses ? await reader.revision(first.repository, Math.max(...first.revisions)) : null
  if (!addresses || !revision?.hasRecords) return found
  const byKey = Map.groupBy(users, ({ key }) => key as PackageKey)
  for await (const { key, bytes } of reader.records(revision, addresses.part, { areBorrowed: true })) {
    const ofPackage = byKey.get(key)
    const address = ofPackage && bytes ? addresses.read(bytes) : null
    if (address) for (const user of ofPackage ?? []) found.set(user, address)
  }
  return found
}
