import type { StoredPackage } from '../../core/model.ts'
import type { PackageQuery } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'
import { keptNumbers } from './kept-numbers.ts'
import { known, matcher, maybeMatches, packagesByRow, pageRows } from './packages.ts'

export interface FoundPackage {
  readonly package: StoredPackage
  /** Sealed and kept ones that hold it, oldest first. */
  readonly revisions: readonly number[]
}

interface Candidate {
  readonly pk: number
  readonly key: string
  readonly id: string
  readonly sealedAt: number
  readonly revisions: readonly number[]
}

const scanRows = 5000

/** Of any repository; those in the most recently sealed revisions first, then by repository and key. */
export async function searchPackages(
  session: Session,
  query: PackageQuery,
  limit: number,
): Promise<readonly FoundPackage[]> {
  const best = await bestCandidates(session, query, limit)
  const found: FoundPackage[] = []
  for (let start = 0; start < best.length; start += pageRows) {
    const page = best.slice(start, start + pageRows)
    const details = await packagesByRow(
      session,
      page.map(({ pk }) => pk),
    )
    found.push(...page.map(({ pk, revisions }) => ({ package: known(details.get(pk)), revisions })))
  }
  return found
}

/** Scans all that may match and keeps no more than a few pages of it in memory. */
async function bestCandidates(
  session: Session,
  query: PackageQuery,
  limit: number,
): Promise<readonly Candidate[]> {
  const kept = await keptNumbers(session)
  const matches = matcher(query.pattern)
  let best: Candidate[] = []
  let after = 0
  while (true) {
    const rows = await session.db
      .selectFrom('package')
      .innerJoin('repository', 'repository.pk', 'package.repository')
      .select(['package.pk', 'key', 'name', 'added_in', 'removed_in', 'repository', 'repository.id'])
      .where('package.pk', '>', after)
      .where(maybeMatches(query, session.engine))
      .orderBy('package.pk')
      .limit(scanRows)
      .execute()
    for (const row of rows.filter(matches)) {
      const numbers = kept.get(row.repository)
      const sealedAt = numbers?.newestSealedAt(row.added_in, row.removed_in) ?? null
      if (!numbers || sealedAt === null) continue
      best.push({
        pk: row.pk,
        key: row.key,
        id: row.id,
        sealedAt,
        revisions: numbers.in(row.added_in, row.removed_in),
      })
    }
    best = best.sort(byNewest).slice(0, limit)
    const end = rows.at(-1)
    if (!end || rows.length < scanRows) return best
    after = end.pk
  }
}

function byNewest(a: Candidate, b: Candidate): number {
  if (a.sealedAt !== b.sealedAt) return b.sealedAt - a.sealedAt
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return a.pk - b.pk
}
