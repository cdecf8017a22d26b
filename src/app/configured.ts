import type { RepositorySettings, Settings } from '../config/settings.ts'
import { ChantalError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { matchesPattern } from '../core/pattern.ts'
import type { Ecosystem } from '../ecosystems/ecosystem.ts'
import type { AppContext } from './context.ts'

/** @throws ChantalError `NOT_FOUND` naming the nearest configured id */
export function configuredRepository(settings: Settings, id: string): RepositorySettings {
  const found = settings.repositories.find((repository) => repository.id === id)
  if (found) return found
  throw unknownRepository(settings, id)
}

export interface RepositorySelection {
  /** Ids or shell patterns. */
  readonly ids: readonly string[]
  /** Every enabled repository. */
  readonly all?: boolean
  /** Of this ecosystem only. */
  readonly type?: string | undefined
}

/**
 * In the configuration's order, each once. A disabled repository is chosen by its own id only.
 * @throws ChantalError `NOT_FOUND` for an id or pattern that matches nothing, `USAGE_INVALID` where nothing is chosen by
 */
export function chooseRepositories(
  settings: Settings,
  selection: RepositorySelection,
): readonly RepositorySettings[] {
  const { ids, all = false, type } = selection
  if (ids.length === 0 && !all && type === undefined) {
    throw new ChantalError('USAGE_INVALID', 'no repository named', {
      hint: 'Name repositories, or use --all.',
    })
  }
  for (const id of ids) {
    if (!settings.repositories.some((repository) => matchesPattern(repository.id, id))) {
      throw unknownRepository(settings, id)
    }
  }
  return settings.repositories.filter((repository) => {
    if (type !== undefined && repository.ecosystem !== type) return false
    if (ids.length === 0) return repository.enabled
    return ids.some((id) => id === repository.id || (repository.enabled && matchesPattern(repository.id, id)))
  })
}

/** The ecosystem of a repository; the configuration has been checked against the registry. */
export function ecosystemOf(
  context: Pick<AppContext, 'ecosystems'>,
  repository: RepositorySettings,
): Ecosystem {
  const ecosystem = context.ecosystems.get(repository.ecosystem)
  if (!ecosystem) throw new Error(`no ecosystem ${repository.ecosystem} in the registry`)
  return ecosystem
}

function unknownRepository(settings: Settings, id: string): ChantalError {
  const ids = settings.repositories.map((repository) => repository.id)
  const near = nearest(id, ids)
  return new ChantalError('NOT_FOUND', `no repository ${JSON.stringify(id)} in the configuration`, {
    hint: near ? `Did you mean "${near}"?` : 'See `chantal repo list`.',
    details: { repository: id },
  })
}
