import type { RepositorySettings, Settings, ViewSettings } from '../config/settings.ts'
import { ChantalError } from '../core/errors.ts'
import type { EcosystemId } from '../core/model.ts'
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

/** @throws ChantalError `NOT_FOUND` naming the nearest configured name */
export function configuredView(settings: Settings, name: string): ViewSettings {
  const found = settings.views.find((view) => view.name === name)
  if (found) return found
  const near = nearest(
    name,
    settings.views.map((view) => view.name),
  )
  throw new ChantalError('NOT_FOUND', `no view ${JSON.stringify(name)} in the configuration`, {
    hint: near ? `Did you mean "${near}"?` : 'See `chantal view list`.',
    details: { view: name },
  })
}

/**
 * By name or shell pattern, in the configuration's order, each once.
 * @throws ChantalError `NOT_FOUND` for one that matches nothing
 */
export function chooseViews(settings: Settings, patterns: readonly string[]): readonly ViewSettings[] {
  for (const pattern of patterns)
    if (!settings.views.some(({ name }) => matchesPattern(name, pattern))) configuredView(settings, pattern)
  return settings.views.filter(({ name }) => patterns.some((pattern) => matchesPattern(name, pattern)))
}

/** What has snapshots and is published. */
export type Owner =
  | { readonly kind: 'repository'; readonly settings: RepositorySettings }
  | { readonly kind: 'view'; readonly settings: ViewSettings }

/** Of a name that is a repository's id or a view's. @throws ChantalError `NOT_FOUND` naming the nearest of both */
export function configuredOwner(settings: Settings, name: string): Owner {
  const view = settings.views.find((view) => view.name === name)
  if (view) return { kind: 'view', settings: view }
  const repository = settings.repositories.find(({ id }) => id === name)
  if (repository) return { kind: 'repository', settings: repository }
  if (settings.views.length === 0) throw unknownRepository(settings, name)
  const near = nearest(name, [
    ...settings.repositories.map(({ id }) => id),
    ...settings.views.map((view) => view.name),
  ])
  throw new ChantalError(
    'NOT_FOUND',
    `no repository and no view ${JSON.stringify(name)} in the configuration`,
    {
      hint: near ? `Did you mean "${near}"?` : 'See `chantal repo list` and `chantal view list`.',
      details: { name },
    },
  )
}

/** Repositories first, each kind in the configuration's order. */
export function allOwners(settings: Settings): readonly Owner[] {
  return [
    ...settings.repositories.map((settings) => ({ kind: 'repository', settings }) as const),
    ...settings.views.map((settings) => ({ kind: 'view', settings }) as const),
  ]
}

/**
 * Repositories and views by id, name or shell pattern, each kind in the configuration's order.
 * @throws ChantalError `NOT_FOUND` for one that matches nothing
 */
export function chooseOwners(settings: Settings, patterns: readonly string[]): readonly Owner[] {
  const all = allOwners(settings)
  const chosen = new Set<Owner>()
  for (const pattern of patterns) {
    const matching = all.filter((owner) => matchesPattern(nameOf(owner), pattern))
    if (matching.length === 0) configuredOwner(settings, pattern)
    for (const owner of matching) chosen.add(owner)
  }
  return all.filter((owner) => chosen.has(owner))
}

/** Its id or name. */
function nameOf(owner: Owner): string {
  return owner.kind === 'repository' ? owner.settings.id : owner.settings.name
}

/** Whether packages of its next revision come with native records: a verbatim mirror needs them for the trees of views alone. */
export function keepsRecords(settings: Settings, { id, mode }: RepositorySettings): boolean {
  return mode !== 'mirror' || settings.views.some(({ repositories }) => repositories.includes(id))
}

export interface RepositorySelection {
  /** Ids or shell patterns. */
  readonly ids: readonly string[]
  /** Every enabled repository. */
  readonly all?: boolean
  /** Of this ecosystem only. */
  readonly type?: EcosystemId | undefined
}

/**
 * In the configuration's order, each once; none of an ecosystem that has none. A disabled repository is chosen by its own id only.
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

/**
 * One of those that there are: another would choose no repository, and a mistyped cron job would do nothing without a word.
 * @throws ChantalError `USAGE_INVALID` naming the nearest
 */
export function parseEcosystem(ecosystems: ReadonlyMap<EcosystemId, unknown>, type: string): EcosystemId {
  const types = [...ecosystems.keys()]
  const found = types.find((id) => id === type)
  if (found !== undefined) return found
  const near = nearest(type, types)
  throw new ChantalError(
    'USAGE_INVALID',
    `there is no ecosystem ${JSON.stringify(type)}, only ${types.join(' and ')}`,
    {
      hint: near ? `Did you mean "${near}"?` : `Give --type one of those: ${types.join(', ')}.`,
      details: { type, types },
    },
  )
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
