import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { BlobRef } from '../../core/bytes.ts'
import type { Checksum, Sha256 } from '../../core/digest.ts'
import type { PackageKey, RepositoryId } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { SnapshotName } from '../catalog-records.ts'
import type { Session } from '../engine.ts'
import { keptNumbers } from './kept-numbers.ts'
import { isBlobOfRecent, isBlobReached, isBlobReachedBy } from './roots.ts'

const pageBlobs = 2000

export function* batches<T>(items: Iterable<T>): Generator<readonly T[]> {
  const all = [...items]
  for (let start = 0; start < all.length; start += pageBlobs) yield all.slice(start, start + pageBlobs)
}

/** `''` is before all. */
const isAfter = (digest: Sha256 | '') => sql<SqlBool>`${sql.ref('blob.digest')} > ${digest}`

/** Every blob with a row, in digest order. */
export async function* streamBlobs({ db }: Session, start: Sha256 | '' = ''): AsyncGenerator<BlobRef> {
  let after: Sha256 | '' = start
  while (true) {
    const page: BlobRef[] = await db
      .selectFrom('blob')
      .select(['digest', 'size'])
      .where(isAfter(after))
      .orderBy('digest')
      .limit(pageBlobs)
      .execute()
    for (const { digest, size } of page) yield { digest, size }
    const end = page.at(-1)
    if (!end || page.length < pageBlobs) return
    after = end.digest
  }
}

/** Those that a root reaches, in digest order. Looks at one page of blobs at a time, so its cost grows with their number alone. */
export function streamReachableBlobs(session: Session): AsyncGenerator<BlobRef> {
  return streamBlobsWhere(session, isBlobReached)
}

/** Those that a root reaches, and that none would without these snapshots; in digest order, at the cost of {@link streamReachableBlobs}. */
export async function* streamBlobsOnlyIn(
  session: Session,
  snapshots: readonly SnapshotName[],
): AsyncGenerator<BlobRef> {
  const { db, engine } = session
  const columns = { owner: 'text', name: 'text' } as const
  const ofRepositories = await db
    .selectFrom(
      engine.rows(
        snapshots.flatMap((named) =>
          'view' in named ? [] : [{ owner: named.repository, name: named.name }],
        ),
        columns,
        'named',
      ),
    )
    .innerJoin('repository', (join) => join.onRef('repository.id', '=', 'named.owner'))
    .innerJoin('snapshot', (join) =>
      join.onRef('snapshot.repository', '=', 'repository.pk').onRef('snapshot.name', '=', 'named.name'),
    )
    .select('snapshot.pk')
    .execute()
  const ofViews = await db
    .selectFrom(
      engine.rows(
        snapshots.flatMap((named) => ('view' in named ? [{ owner: named.view, name: named.name }] : [])),
        columns,
        'named',
      ),
    )
    .innerJoin('view_snapshot', (join) =>
      join.onRef('view_snapshot.view', '=', 'named.owner').onRef('view_snapshot.name', '=', 'named.name'),
    )
    .select('view_snapshot.pk')
    .execute()
  if (ofRepositories.length + ofViews.length === 0) return
  const keysOf = (rows: readonly { readonly pk: number }[]) =>
    db.selectFrom(engine.rows(rows, { pk: 'bigint' }, 'leaving')).select('leaving.pk')
  const staying = isBlobReachedBy({
    snapshots: sql<SqlBool>`snapshot.pk not in ${keysOf(ofRepositories)}`,
    members: sql<SqlBool>`view_snapshot_member.snapshot not in ${keysOf(ofViews)}`,
  })
  // Most blobs are in a latest revision, and the first half says so at once.
  yield* streamBlobsWhere(session, sql<SqlBool>`(not ${staying} and ${isBlobReached})`)
}

/** @param condition on rows `blob` */
async function* streamBlobsWhere({ db }: Session, condition: RawBuilder<SqlBool>): AsyncGenerator<BlobRef> {
  let after: Sha256 | '' = ''
  while (true) {
    const last: Sha256 | '' = after
    const page = await db
      .with('page', (cte) =>
        cte
          .selectFrom('blob')
          .select(['pk', 'digest', 'size'])
          .where(isAfter(last))
          .orderBy('digest')
          .limit(pageBlobs),
      )
      .selectFrom('page as blob')
      .select(['digest', 'size'])
      .select((eb) => eb.case().when(condition).then(1).else(0).end().as('isWanted'))
      .orderBy('digest')
      .execute()
    for (const { digest, size, isWanted } of page) if (isWanted === 1) yield { digest, size }
    const end = page.at(-1)
    if (!end || page.length < pageBlobs) return
    after = end.digest
  }
}

/** In the order asked for. SHA-256 names a blob itself; other checksums are known from when it arrived. */
export async function blobsByChecksum(
  { db, engine }: Session,
  checksums: readonly Checksum[],
): Promise<readonly (BlobRef | null)[]> {
  const found = new Map<string, BlobRef>()
  for (let start = 0; start < checksums.length; start += pageBlobs) {
    const page = checksums.slice(start, start + pageBlobs)
    const asked = page.map(({ algorithm, hex }) => ({ algorithm, hex }))
    const columns = { algorithm: 'text', hex: 'text' } as const
    const digests = asked.filter(({ algorithm }) => algorithm === 'sha256')
    const others = asked.filter(({ algorithm }) => algorithm !== 'sha256')
    if (digests.length > 0) {
      const rows = await db
        .selectFrom(engine.rows(digests, columns, 'asked'))
        .innerJoin('blob', (join) => join.onRef('blob.digest', '=', 'asked.hex'))
        .select(['digest', 'size'])
        .execute()
      for (const { digest, size } of rows) found.set(`sha256:${digest}`, { digest, size })
    }
    if (others.length > 0) {
      const rows = await db
        .selectFrom(engine.rows(others, columns, 'asked'))
        .innerJoin('blob_checksum', (join) =>
          join
            .onRef('blob_checksum.algorithm', '=', 'asked.algorithm')
            .onRef('blob_checksum.hex', '=', 'asked.hex'),
        )
        .innerJoin('blob', 'blob.pk', 'blob_checksum.blob')
        .select(['blob_checksum.algorithm', 'blob_checksum.hex', 'digest', 'size'])
        .execute()
      for (const { algorithm, hex, digest, size } of rows) found.set(`${algorithm}:${hex}`, { digest, size })
    }
  }
  return checksums.map(({ algorithm, hex }) => found.get(`${algorithm}:${hex}`) ?? null)
}

/** What `forgetBlobs` would drop. */
export async function forgettableBlobs(
  session: Session,
  digests: readonly Sha256[],
  before: Date,
): Promise<readonly Sha256[]> {
  const found: Sha256[] = []
  for (const batch of batches(new Set(digests))) {
    const { kept } = await lookForUnreached(session, batch, before)
    found.push(...batch.filter((digest) => !kept.has(digest)))
  }
  return found
}

/**
 * Of these blobs: rows that nothing reaches, that nobody wanted since `before` and no revision has that was superseded since; and digests of those
 * that stay.
 */
export async function lookForUnreached({ db, engine }: Session, digests: readonly Sha256[], before: Date) {
  const asked = engine.rows(
    digests.map((digest) => ({ digest })),
    { digest: 'text' },
    'asked',
  )
  const rows = await db
    .selectFrom('blob')
    .select(['blob.pk', 'blob.digest', 'blob.wanted_at'])
    .select((eb) => eb.case().when(isBlobReached).then(1).else(0).end().as('isReached'))
    .select((eb) => eb.case().when(isBlobOfRecent(before)).then(1).else(0).end().as('isRecent'))
    .where('blob.digest', 'in', db.selectFrom(asked).select('asked.digest'))
    .execute()
  const isKept = ({ isReached, isRecent, wanted_at }: (typeof rows)[number]) =>
    isReached === 1 || isRecent === 1 || wanted_at >= before.getTime()
  return {
    leaving: rows.filter((row) => !isKept(row)).map(({ pk }) => ({ pk })),
    kept: new Set(rows.filter(isKept).map(({ digest }) => digest)),
  }
}

export interface BlobUser {
  readonly digest: Sha256
  readonly repository: RepositoryId
  readonly path: RelativePath
  /** `null` for a file that belongs to no package. */
  readonly key: PackageKey | null
  readonly revisions: readonly number[]
}

/** In order of repository and path; those in no sealed and kept revision are left out. */
export async function blobUsers(session: Session, digests: readonly Sha256[]): Promise<readonly BlobUser[]> {
  const { db, engine } = session
  const asked = () =>
    db
      .selectFrom(
        engine.rows(
          digests.map((digest) => ({ digest })),
          { digest: 'text' },
          'asked',
        ),
      )
      .select('asked.digest')
  const columns = ['blob.digest', 'repository.id', 'repository.pk', 'added_in', 'removed_in'] as const
  const packages = await db
    .selectFrom('blob')
    .innerJoin('package_file', 'package_file.blob', 'blob.pk')
    .innerJoin('package', 'package.pk', 'package_file.package')
    .innerJoin('repository', 'repository.pk', 'package.repository')
    .select([...columns, 'package_file.path', 'package.key'])
    .where('blob.digest', 'in', asked())
    .execute()
  const files = await db
    .selectFrom('blob')
    .innerJoin('repository_file', 'repository_file.blob', 'blob.pk')
    .innerJoin('repository', 'repository.pk', 'repository_file.repository')
    .select([...columns, 'repository_file.path'])
    .where('blob.digest', 'in', asked())
    .execute()
  const kept = await keptNumbers(session)
  return [...packages, ...files.map((file) => ({ ...file, key: null }))]
    .map(({ digest, id, pk, path, key, added_in, removed_in }) => ({
      digest,
      repository: id,
      path,
      key,
      revisions: kept.get(pk)?.in(added_in, removed_in) ?? [],
    }))
    .filter(({ revisions }) => revisions.length > 0)
    .sort((a, b) => compareText(a.repository, b.repository) || compareText(a.path, b.path))
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
