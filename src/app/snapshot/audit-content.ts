import type { RepositorySettings } from '../../config/settings.ts'
import type { StoredPackage } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import { displayUrl } from '../../download/display-url.ts'
import type { UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'

/** A package of a source, and where its files come from, in their order. */
export interface AuditedPackage {
  readonly package: StoredPackage
  /** `null` where they were uploaded, and where their repository is not configured any more. */
  readonly origins: readonly (string | null)[]
  readonly isUploaded: boolean
}

/** What a source holds, for whoever has to account for it; in key order, a view's members one after the other. @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export const auditContent: UseCase<{ readonly source: string }, readonly AuditedPackage[]> = async (
  { catalog, settings },
  { source },
  signal,
) =>
  catalog.read(async (reader) => {
    const { revisions } = await resolveSource(reader, settings, source)
    const audited: AuditedPackage[] = []
    for (const revision of revisions) {
      // A view's snapshot keeps what a repository held that has gone from the configuration since.
      const configured = settings.repositories.find(({ id }) => id === revision.repository)
      for await (const pkg of reader.packages(revision)) {
        signal.throwIfAborted()
        const origins = pkg.files.map(({ path }) => (configured ? originOf(configured, path) : null))
        audited.push({ package: pkg, origins, isUploaded: revision.mode === 'hosted' })
      }
    }
    return audited
  })

/**
 * The URL of a file at the repository's feed, as it is configured today and without credentials; of a list of mirrors, that of the list.
 * `null` where packages are uploaded.
 */
export function originOf(
  { feed, mode }: Pick<RepositorySettings, 'feed' | 'mode'>,
  path: RelativePath,
): string | null {
  if (feed === null || mode === 'hosted') return null
  if (feed.kind !== 'urls') return displayUrl(feed.url)
  const [base] = feed.urls
  const url = new URL(base)
  const folder = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  url.pathname = `${folder}${path.split('/').map(encodeURIComponent).join('/')}`
  return displayUrl(url)
}
