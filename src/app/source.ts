import type { CatalogReader } from '../catalog/catalog-reader.ts'
import type { RepositorySettings, Settings } from '../config/settings.ts'
import { ChantalError } from '../core/errors.ts'
import type { Revision } from '../core/model.ts'
import { configuredOwner, configuredRepository } from './configured.ts'

/**
 * What commands take: a repository's latest revision (`ID`), what a snapshot froze (`ID@NAME`), or the revision that was latest
 * at a moment (`ID@20261101T000000Z`). A view's name stands for all of its members at once.
 */
export type Source = {
  /** A repository's id, or a view's name. */
  readonly owner: string
  readonly at:
    | { readonly kind: 'latest' }
    | { readonly kind: 'snapshot'; readonly name: string }
    | { readonly kind: 'time'; readonly time: Date }
}

const timePattern = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/
const snapshotPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** @throws ChantalError `USAGE_INVALID` */
export function parseSource(text: string): Source {
  const at = text.indexOf('@')
  if (at < 0) return { owner: text, at: { kind: 'latest' } }
  const owner = text.slice(0, at)
  const name = text.slice(at + 1)
  const time = parseSourceTime(name)
  if (time) return { owner, at: { kind: 'time', time } }
  if (name === 'latest') return { owner, at: { kind: 'latest' } }
  return { owner, at: { kind: 'snapshot', name: parseSnapshotName(name) } }
}

/** A snapshot's name is not `latest` and does not look like a time. @throws ChantalError `USAGE_INVALID` */
export function parseSnapshotName(name: string): string {
  if (snapshotPattern.test(name) && name !== 'latest' && !timePattern.test(name) && name.length <= 128)
    return name
  throw new ChantalError('USAGE_INVALID', `not a snapshot's name: ${JSON.stringify(name)}`, {
    hint: 'Use letters, digits, ".", "_" and "-"; not "latest", and nothing that looks like 20261101T000000Z.',
  })
}

/** `ID@NAME`, for what is about to be made or deleted. @throws ChantalError `USAGE_INVALID` */
export function parseSnapshotSource(text: string): { readonly owner: string; readonly name: string } {
  const { owner, at } = parseSource(text)
  if (at.kind === 'snapshot') return { owner, name: at.name }
  throw new ChantalError('USAGE_INVALID', `${JSON.stringify(text)} names no snapshot`, {
    hint: 'Write ID@NAME.',
  })
}

/** A source, found. */
export type ResolvedSource = {
  /** As shown: `epel9`, `epel9@2026-11`. */
  readonly label: string
  /** A repository's id, or a view's name. */
  readonly owner: string
  readonly snapshot: string | null
  readonly at: Source['at']
} & (
  | { readonly kind: 'repository'; readonly revisions: readonly [Revision] }
  /** One of each member, in the view's order. */
  | { readonly kind: 'view'; readonly revisions: Revisions }
)

/** What a tree is made of. */
export type Revisions = readonly [Revision, ...Revision[]]

/**
 * Of a view the revision of every member: the latest ones, those that its snapshot froze, or those of a moment.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export async function resolveSource(
  reader: CatalogReader,
  settings: Settings,
  text: string,
): Promise<ResolvedSource> {
  const source = parseSource(text)
  const owner = configuredOwner(settings, source.owner)
  const { at } = source
  const name = owner.kind === 'repository' ? owner.settings.id : owner.settings.name
  const facts = {
    label: labelOf(name, at),
    owner: name,
    snapshot: at.kind === 'snapshot' ? at.name : null,
    at,
  }
  if (owner.kind === 'repository') {
    const revision = await revisionOf(reader, owner.settings, at)
    return { ...facts, kind: 'repository', revisions: [revision] }
  }
  if (at.kind === 'snapshot') {
    const snapshot = await reader.viewSnapshot(name, at.name)
    if (!snapshot) throw noSuchSnapshot(name, at.name)
    return { ...facts, kind: 'view', revisions: snapshot.revisions }
  }
  const revisions: Revision[] = []
  for (const id of owner.settings.repositories)
    revisions.push(await revisionOf(reader, configuredRepository(settings, id), at))
  const [first, ...rest] = revisions
  if (!first) throw new Error(`the view ${name} has no members`)
  return { ...facts, kind: 'view', revisions: [first, ...rest] }
}

async function revisionOf(
  reader: CatalogReader,
  { id, mode }: RepositorySettings,
  at: Source['at'],
): Promise<Revision> {
  switch (at.kind) {
    case 'latest': {
      const record = await reader.repository(id)
      if (record?.latest) return record.latest
      throw new ChantalError(
        'NOT_FOUND',
        mode === 'hosted' ? `${id} holds no package yet` : `${id} has never been synced`,
        {
          hint: `Run \`chantal ${mode === 'hosted' ? `package upload FILE... --repo ${id}` : `repo sync ${id}`}\`.`,
          details: { source: id },
        },
      )
    }
    case 'snapshot': {
      const snapshot = await reader.snapshot(id, at.name)
      if (snapshot) return snapshot.revision
      throw noSuchSnapshot(id, at.name)
    }
    case 'time': {
      const revision = await reader.revisionAt(id, at.time)
      if (revision) return revision
      throw new ChantalError('NOT_FOUND', `no revision of ${id} is kept from ${at.time.toISOString()}`, {
        hint: `See \`chantal repo history ${id}\`.`,
        details: { source: labelOf(id, at) },
      })
    }
  }
}

/** @param owner a repository's id, or a view's name */
export function noSuchSnapshot(owner: string, name: string): ChantalError {
  return new ChantalError('NOT_FOUND', `${owner} has no snapshot ${name}`, {
    hint: `See \`chantal snapshot list ${owner}\`.`,
    details: { source: `${owner}@${name}` },
  })
}

function labelOf(owner: string, at: Source['at']): string {
  if (at.kind === 'latest') return owner
  return `${owner}@${at.kind === 'snapshot' ? at.name : formatSourceTime(at.time)}`
}

/** `20261101T000000Z`; `null` where `text` is no such time, or a day that no calendar has. */
function parseSourceTime(text: string): Date | null {
  const parts = timePattern.exec(text)
  if (!parts) return null
  const [, year, month, day, hour, minute, second] = parts
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time.getTime()) ? null : time
}

/** `20261101T000000Z` */
function formatSourceTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
