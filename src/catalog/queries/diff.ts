import type { PackageKey, Revision, StoredPackage } from '../../core/model.ts'
import type { PackageChange } from '../catalog-records.ts'
import type { Session } from '../engine.ts'
import { known, packagesByRow, pageRows, streamPackages } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/**
 * In key order. Within one repository from the intervals of the rows that changed; between two, both contents are read side by side.
 */
export function diffRevisions(
  session: Session,
  before: Revision,
  after: Revision,
): AsyncGenerator<PackageChange> {
  return before.repository === after.repository
    ? diffIntervals(session, before, after)
    : diffStreams(streamPackages(session, before), streamPackages(session, after))
}

interface ChangedKey {
  readonly key: PackageKey
  before: { readonly pk: number; readonly identity: string } | null
  after: { readonly pk: number; readonly identity: string } | null
}

async function* diffIntervals(
  session: Session,
  before: Revision,
  after: Revision,
): AsyncGenerator<PackageChange> {
  const changed = await changedKeys(session, before, after)
  for (let start = 0; start < changed.length; start += pageRows / 2) {
    const page = changed.slice(start, start + pageRows / 2)
    const rows = page.flatMap((change) => [change.before, change.after].flatMap((side) => side?.pk ?? []))
    const details = await packagesByRow(session, rows)
    const side = (row: { readonly pk: number } | null) => (row ? known(details.get(row.pk)) : null)
    for (const change of page) yield* changeOf(side(change.before), side(change.after))
  }
}

/** Keys, not contents, are held in memory. */
async function changedKeys(
  session: Session,
  before: Revision,
  after: Revision,
): Promise<readonly ChangedKey[]> {
  const repository = await repositoryKey(session, before.repository)
  if (repository === null || before.number === after.number) return []
  const [older, newer] =
    before.number < after.number ? [before.number, after.number] : [after.number, before.number]
  const rows = () =>
    session.db.selectFrom('package').select(['pk', 'key', 'identity']).where('repository', '=', repository)
  const onlyInOlder = await rows()
    .where('added_in', '<=', older)
    .where('removed_in', '>', older)
    .where('removed_in', '<=', newer)
    .execute()
  const onlyInNewer = await rows()
    .where('added_in', '>', older)
    .where('added_in', '<=', newer)
    .where(({ eb, or }) => or([eb('removed_in', 'is', null), eb('removed_in', '>', newer)]))
    .execute()
  const isForward = older === before.number
  const changes = new Map<PackageKey, ChangedKey>()
  for (const row of isForward ? onlyInOlder : onlyInNewer)
    changes.set(row.key, { key: row.key, before: row, after: null })
  for (const row of isForward ? onlyInNewer : onlyInOlder) {
    const change = changes.get(row.key)
    if (change) change.after = row
    else changes.set(row.key, { key: row.key, before: null, after: row })
  }
  return [...changes.values()]
    .filter((change) => change.before?.identity !== change.after?.identity)
    .sort((a, b) => compareKeys(a.key, b.key))
}

async function* diffStreams(
  before: AsyncGenerator<StoredPackage>,
  after: AsyncGenerator<StoredPackage>,
): AsyncGenerator<PackageChange> {
  try {
    let left = await before.next()
    let right = await after.next()
    while (!left.done || !right.done) {
      const order = left.done ? 1 : right.done ? -1 : compareKeys(left.value.key, right.value.key)
      yield* changeOf(
        order <= 0 && !left.done ? left.value : null,
        order >= 0 && !right.done ? right.value : null,
      )
      if (order <= 0) left = await before.next()
      if (order >= 0) right = await after.next()
    }
  } finally {
    await before.return(undefined)
    await after.return(undefined)
  }
}

function* changeOf(before: StoredPackage | null, after: StoredPackage | null): Generator<PackageChange> {
  if (before && after) {
    if (before.identity !== after.identity) yield { change: 'replaced', before, after }
  } else if (after) yield { change: 'added', after }
  else if (before) yield { change: 'removed', before }
}

/** As the databases order text: byte for byte in UTF-8, which differs from UTF-16 beyond the basic plane. */
function compareKeys(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
