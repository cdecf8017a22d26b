import type { CatalogReader } from '../catalog/catalog.ts'
import type { Settings } from '../config/settings.ts'
import { ChantalError } from '../core/errors.ts'
import type { Revision } from '../core/model.ts'
import { configuredRepository } from './configured.ts'

/**
 * What commands take: a repository's latest revision (`ID`), what a snapshot froze (`ID@NAME`), or the revision that was latest
 * at a moment (`ID@20261101T000000Z`).
 */
export type Source = {
  readonly repository: string
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
  if (at < 0) return { repository: text, at: { kind: 'latest' } }
  const repository = text.slice(0, at)
  const name = text.slice(at + 1)
  const time = parseSourceTime(name)
  if (time) return { repository, at: { kind: 'time', time } }
  if (name === 'latest') return { repository, at: { kind: 'latest' } }
  return { repository, at: { kind: 'snapshot', name: parseSnapshotName(name) } }
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
export function parseSnapshotSource(text: string): { readonly repository: string; readonly name: string } {
  const { repository, at } = parseSource(text)
  if (at.kind === 'snapshot') return { repository, name: at.name }
  throw new ChantalError('USAGE_INVALID', `${JSON.stringify(text)} names no snapshot`, {
    hint: 'Write ID@NAME.',
  })
}

/** A source, found. */
export interface ResolvedSource {
  /** As shown: `epel9`, `epel9@2026-11`. */
  readonly label: string
  readonly repository: string
  readonly snapshot: string | null
  readonly at: Source['at']
  readonly revision: Revision
}

/** @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export async function resolveSource(
  reader: CatalogReader,
  settings: Settings,
  text: string,
): Promise<ResolvedSource> {
  const source = parseSource(text)
  const { id, mode } = configuredRepository(settings, source.repository)
  const { at } = source
  const found = (revision: Revision | null, label: string, missing: string, hint: string): ResolvedSource => {
    if (!revision) throw new ChantalError('NOT_FOUND', missing, { hint, details: { source: text } })
    return { label, repository: id, snapshot: at.kind === 'snapshot' ? at.name : null, at, revision }
  }
  switch (at.kind) {
    case 'latest': {
      const record = await reader.repository(id)
      return found(
        record?.latest ?? null,
        id,
        mode === 'hosted' ? `${id} holds no package yet` : `${id} has never been synced`,
        `Run \`chantal ${mode === 'hosted' ? `package upload FILE... --repo ${id}` : `repo sync ${id}`}\`.`,
      )
    }
    case 'snapshot': {
      const snapshot = await reader.snapshot(id, at.name)
      return found(
        snapshot?.revision ?? null,
        `${id}@${at.name}`,
        `${id} has no snapshot ${at.name}`,
        `See \`chantal snapshot list ${id}\`.`,
      )
    }
    case 'time': {
      const revision = await reader.revisionAt(id, at.time)
      const label = `${id}@${formatSourceTime(at.time)}`
      return found(
        revision,
        label,
        `no revision of ${id} is kept from ${at.time.toISOString()}`,
        `See \`chantal repo history ${id}\`.`,
      )
    }
  }
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
