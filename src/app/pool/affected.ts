import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { Sha256 } from '../../core/digest.ts'
import { publishedPaths } from '../snapshot/list-snapshots.ts'
import { findSnapshots } from '../snapshot/snapshots.ts'

/** Who misses a blob that is damaged. Each list in order. */
export interface Affected {
  /** Where it belongs: `repository: path`. */
  readonly files: readonly string[]
  readonly snapshots: readonly string[]
  readonly publications: readonly string[]
}

const pageDigests = 1000

/** By digest; what nobody needs any more is in none. */
export async function affectedBy(
  reader: CatalogReader,
  digests: readonly Sha256[],
): Promise<ReadonlyMap<Sha256, Affected>> {
  const affected = new Map<Sha256, Affected>()
  if (digests.length === 0) return affected
  const published = await publishedPaths(reader)
  const snapshots = Map.groupBy(
    (await findSnapshots(reader)).flatMap(({ source, revisions }) =>
      revisions.map((revision) => ({ source, revision })),
    ),
    ({ revision: { repository, number } }) => `${repository} ${number}`,
  )
  for (let start = 0; start < digests.length; start += pageDigests) {
    const users = await reader.blobUsers(...digests.slice(start, start + pageDigests))
    for (const [digest, ofBlob] of Map.groupBy(users, (user) => user.digest)) {
      const revisions = new Set(
        ofBlob.flatMap(({ repository, revisions }) => revisions.map((number) => `${repository} ${number}`)),
      )
      affected.set(digest, {
        files: ofBlob.map(({ repository, path }) => `${repository}: ${path}`),
        snapshots: sorted(revisions, (revision) =>
          (snapshots.get(revision) ?? []).map(({ source }) => source),
        ),
        publications: sorted(revisions, (revision) => published.get(revision) ?? []),
      })
    }
  }
  return affected
}

function sorted(
  revisions: ReadonlySet<string>,
  namesOf: (revision: string) => readonly string[],
): readonly string[] {
  return [...new Set([...revisions].flatMap(namesOf))].sort()
}
