import { type RawBuilder, type SqlBool, sql } from 'kysely'

/** Conditions on rows `snapshot` and `view_snapshot_member`: those that count as roots. */
export interface CountedSnapshots {
  readonly snapshots: RawBuilder<SqlBool>
  readonly members: RawBuilder<SqlBool>
}

/**
 * Of rows of `table` joined with their `repository`: those that a root shows. Roots are the latest and the open revision of each
 * repository, and revisions of snapshots, of views too, and of generations. Each test is one seek in an index.
 */
function isReached(table: 'package' | 'repository_file', counted: CountedSnapshots) {
  const row = sql.table(table)
  return sql<SqlBool>`(
    -- Not removed: in the open revision where there is one, else in the latest.
    ${row}.removed_in is null
    -- Removed in the open revision, which is not sealed yet.
    or ${row}.removed_in > repository.latest
    or exists (
      select 1 from snapshot
      where snapshot.repository = ${row}.repository
        and snapshot.revision >= ${row}.added_in and snapshot.revision < ${row}.removed_in
        and ${counted.snapshots}
    )
    or exists (
      select 1 from view_snapshot_member
      where view_snapshot_member.repository = ${row}.repository
        and view_snapshot_member.revision >= ${row}.added_in
        and view_snapshot_member.revision < ${row}.removed_in
        and ${counted.members}
    )
    or exists (
      select 1 from generation_source as source
      where source.repository = ${row}.repository
        and source.revision >= ${row}.added_in and source.revision < ${row}.removed_in
    )
  )`
}

/** Whether any root needs the blob of the row `blob`. */
export const isBlobReached = isBlobReachedBy({ snapshots: sql`1 = 1`, members: sql`1 = 1` })

/**
 * The same where only some snapshots count. The offset keeps PostgreSQL from hashing all files for each page of blobs:
 * it then seeks for each blob.
 */
export function isBlobReachedBy(counted: CountedSnapshots) {
  return sql<SqlBool>`(
  exists (
    select 1 from package_file
      join package on package.pk = package_file.package
      join repository on repository.pk = package.repository
    where package_file.blob = blob.pk and ${isReached('package', counted)}
    limit 1 offset 0
  )
  or exists (
    select 1 from repository_file
      join repository on repository.pk = repository_file.repository
    where repository_file.blob = blob.pk and ${isReached('repository_file', counted)}
    limit 1 offset 0
  )
)`
}

/**
 * Whether a revision that was superseded at `since` or later has the blob of the row `blob`: somebody may be about to publish it, to freeze
 * it, or to copy from it.
 */
export function isBlobOfRecent(since: Date) {
  const next = (table: 'package' | 'repository_file') => sql`
    join revision as next on next.repository = ${sql.table(table)}.repository
      and next.number = ${sql.table(table)}.removed_in
      and next.sealed_at >= ${since.getTime()}`
  return sql<SqlBool>`(
  exists (
    select 1 from package_file join package on package.pk = package_file.package ${next('package')}
    where package_file.blob = blob.pk
  )
  or exists (
    select 1 from repository_file ${next('repository_file')}
    where repository_file.blob = blob.pk
  )
)`
}

/** Whether the row `revision` is no root, and was superseded before `before`. */
export function isPrunable(before: Date) {
  return sql<SqlBool>`(
    revision.sealed_at is not null
    -- Superseded when the next one was sealed. Numbers have no gaps: what is discarded gives its number back.
    and exists (
      select 1 from revision as next
      where next.repository = revision.repository and next.number = revision.number + 1
        and next.sealed_at < ${before.getTime()}
    )
    and not exists (
      select 1 from repository
      where repository.pk = revision.repository and repository.latest = revision.number
    )
    and not exists (
      select 1 from snapshot
      where snapshot.repository = revision.repository and snapshot.revision = revision.number
    )
    and not exists (
      select 1 from view_snapshot_member as member
      where member.repository = revision.repository and member.revision = revision.number
    )
    and not exists (
      select 1 from generation_source as source
      where source.repository = revision.repository and source.revision = revision.number
    )
  )`
}
