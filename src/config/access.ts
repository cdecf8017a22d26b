import type { UpstreamAccess } from '../download/downloader.ts'
import type { RepositorySettings } from './settings.ts'

/**
 * How the downloader reaches a repository's upstream; `null` for a hosted one.
 * @throws ChantalError `CONFIG_INVALID` where a file that the repository names cannot be read
 */
export function accessOf(repository: RepositorySettings): UpstreamAccess | null {
  const { id, feed, credentials, proxy, tls, download } = repository
  if (feed === null) return null
  assertUsable(repository)
  return { repository: id, feed, credentials, proxy, tls, limits: download }
}

/** To be called before keys, certificates or secrets of a repository or view are used. @throws ChantalError `CONFIG_INVALID` */
export function assertUsable({ problems }: Pick<RepositorySettings, 'problems'>): void {
  const [problem] = problems
  if (problem) throw problem
}
