import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { RepositoryRecord, SyncRecord } from '../../catalog/catalog-records.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import type { EcosystemId } from '../../core/model.ts'
import { matchesPattern } from '../../core/pattern.ts'
import { displayUrl } from '../../download/display-url.ts'
import type { Feed } from '../../download/downloader.ts'
import { configuredRepository, ecosystemOf } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { publishedPaths } from '../snapshot/list-snapshots.ts'

/** A row of `repo list`. */
export interface RepositoryView {
  readonly id: string
  readonly name: string | null
  readonly type: string
  readonly mode: string
  readonly enabled: boolean
  /** Without credentials. */
  readonly feed: string | null
  readonly packages: number
  readonly sizeBytes: number
  /** The latest; `null` before the first sync. */
  readonly revision: number | null
  readonly lastSync: { readonly at: Date; readonly status: string } | null
}

/** Configured repositories, in the configuration's order. @param input.type of this ecosystem only */
export const listRepositories: UseCase<
  { readonly type: EcosystemId | null; readonly pattern: string | null },
  readonly RepositoryView[]
> = async ({ catalog, settings }, { type, pattern }) =>
  catalog.read(async (reader) => {
    const chosen = settings.repositories.filter(
      ({ ecosystem, id }) =>
        (type === null || ecosystem === type) && (pattern === null || matchesPattern(id, pattern)),
    )
    const views: RepositoryView[] = []
    for (const repository of chosen) views.push(await viewOf(reader, repository))
    return views
  })

/** What `repo show ID` tells. */
export interface RepositoryDetails extends RepositoryView {
  readonly tags: readonly string[]
  readonly onMissing: string
  /** Fingerprints of the keys that upstream's signature is checked against; `null` where it is not checked. */
  readonly verifiedBy: readonly string[] | null
  /** What becomes of packages without a good signature of their own: refused, warned of, nothing; `null` where packages carry none. */
  readonly packageSignatures: 'require' | 'warn' | 'off' | null
  /** Of our signing key; `null` where what is generated is published unsigned, or nothing is generated. */
  readonly signedWith: string | null
  /** Whose signature on upstream's metadata was good at the last sync. */
  readonly upstreamSignedBy: string | null
  readonly revisions: number
  readonly snapshots: readonly string[]
  readonly published: readonly string[]
  readonly lastError: SyncRecord['error']
}

/** @throws ChantalError `NOT_FOUND` */
export const showRepository: UseCase<{ readonly id: string }, RepositoryDetails> = async (
  context,
  { id },
) => {
  const repository = configuredRepository(context.settings, id)
  const verifier = await context.verifierOf(repository)
  const signer = repository.mode === 'mirror' ? null : await context.signerOf(repository)
  return context.catalog.read(async (reader) => {
    const recent = await reader.syncs(repository.id, 50)
    const published = [...(await publishedPaths(reader))]
    return {
      ...(await viewOf(reader, repository)),
      tags: repository.tags,
      onMissing: repository.onMissing,
      verifiedBy: verifier?.fingerprints ?? null,
      packageSignatures:
        ecosystemOf(context, repository).packageSignatures === null ? null : repository.verify.packages,
      signedWith: signer?.kind === 'openpgp' ? signer.fingerprint : (signer?.keyName ?? null),
      upstreamSignedBy: verifier && (recent.find(({ signedBy }) => signedBy !== null)?.signedBy ?? null),
      revisions: (await reader.revisions(repository.id)).length,
      snapshots: (await reader.snapshots(repository.id)).map(({ name }) => `${repository.id}@${name}`),
      published: published
        .filter(([key]) => key.startsWith(`${repository.id} `))
        .flatMap(([, paths]) => paths),
      lastError: recent[0]?.error ?? null,
    }
  })
}

/** Past syncs, newest first. @throws ChantalError `NOT_FOUND` */
export const syncHistory: UseCase<
  { readonly ids: readonly string[]; readonly limit: number },
  readonly SyncRecord[]
> = async ({ catalog, settings }, { ids, limit }) =>
  catalog.read(async (reader) => {
    if (ids.length === 0) return reader.syncs(null, limit)
    const all: SyncRecord[] = []
    for (const id of ids) all.push(...(await reader.syncs(configuredRepository(settings, id).id, limit)))
    return all.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime()).slice(0, limit)
  })

async function viewOf(reader: CatalogReader, repository: RepositorySettings): Promise<RepositoryView> {
  const record: RepositoryRecord | null = await reader.repository(repository.id)
  const [last] = await reader.syncs(repository.id, 1)
  return {
    id: repository.id,
    name: repository.name,
    type: repository.ecosystem,
    mode: repository.mode,
    enabled: repository.enabled,
    feed: repository.feed && displayFeed(repository.feed),
    packages: record?.latest?.packageCount ?? 0,
    sizeBytes: record?.latest?.totalSize ?? 0,
    revision: record?.latest?.number ?? null,
    lastSync: last ? { at: last.finishedAt, status: last.status } : null,
  }
}

/** The first of equal mirrors stands for all. */
function displayFeed(feed: Feed): string {
  return displayUrl(feed.kind === 'urls' ? feed.urls[0] : feed.url)
}
