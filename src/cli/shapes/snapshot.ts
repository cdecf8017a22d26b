import * as z from 'zod'
import { packageFacts } from './content.ts'
import { bytes, count, countOrNull, flag, text, textOrNull, texts, time } from './values.ts'

const frozenMember = {
  repository: text('Its id.'),
  revision: count('The revision that is frozen.'),
}

export const snapshotRow = z.strictObject({
  source: text('`ID@NAME`; of a view `NAME@SNAPSHOT`.'),
  revision: countOrNull('The revision that it names; `null` of a view.'),
  members: z.array(z.strictObject(frozenMember)).describe('Of a view, in order; none of a repository.'),
  packages: count('Packages in it.'),
  size_bytes: bytes('Packages and metadata.'),
  created_at: time('When it was made.'),
  description: textOrNull('As given.'),
  labels: z.record(z.string(), z.string()).describe('As given.'),
  created_by: textOrNull('Who made it: `user@host`; `null` for one made before that was noted.'),
  pinned: flag('Whether it stays whatever `retention` says.'),
  published: texts('Paths that show it.'),
})

export const sourceDetails = z.strictObject({
  source: text('As asked for.'),
  repository: textOrNull('Its id; `null` of a view.'),
  view: textOrNull('Its name; `null` of a repository.'),
  revision: countOrNull('The revision behind it; `null` of a view.'),
  mode: textOrNull('As the repository was synced: `mirror`, `filtered`, `hosted`; `null` of a view.'),
  packages: count('Packages in it.'),
  size_bytes: bytes('Packages and metadata.'),
  sealed_at: time('When that revision was synced; of a view the newest of them.'),
  members: z
    .array(
      z.strictObject({
        ...frozenMember,
        mode: text('As it was synced.'),
        packages: count('Packages in it.'),
        size_bytes: bytes('Packages and metadata.'),
        sealed_at: time('When it was synced.'),
      }),
    )
    .describe('Of a view, in order; none of a repository.'),
  snapshot: snapshotRow.nullable().describe('Where the source is a snapshot.'),
  published: texts('Paths that show that.'),
})

const changes = {
  added: z.array(packageFacts).describe('Only in `to`.'),
  removed: z.array(packageFacts).describe('Only in `from`.'),
  updated: z
    .array(
      z.strictObject({
        name: text('Name of the package.'),
        architecture: textOrNull('Its architecture.'),
        from: packageFacts.describe('As it was.'),
        to: packageFacts.describe('As it is.'),
      }),
    )
    .describe('Same name and architecture, another version.'),
  replaced: z.array(packageFacts).describe('Same name, version and architecture, other bytes; as in `to`.'),
}

export const sourceDiff = z.strictObject({
  from: text('The first source.'),
  to: text('The second source.'),
  ...changes,
  members: z
    .array(z.strictObject({ repository: text('Its id.'), ...changes }))
    .describe('Of views, what changed in each member; none of repositories.'),
})

export const deletedSnapshot = z.strictObject({
  source: text('`ID@NAME`'),
  packages: count('Packages in it.'),
  deleted: flag('`false` after a dry run.'),
})

export const prunedSnapshots = z.strictObject({
  snapshots: z
    .array(
      z.strictObject({
        source: text('`ID@NAME`'),
        created_at: time('When it was made.'),
        packages: count('Packages in it.'),
        action: z.enum(['remove', 'keep']).describe('What becomes of it.'),
        kept_by: z
          .array(
            z.enum([
              'keep_last',
              'keep_daily',
              'keep_weekly',
              'keep_monthly',
              'keep_within',
              'pinned',
              'published',
              'view_snapshot',
              'no_policy',
            ]),
          )
          .describe('All that keeps it; empty where it goes.'),
        view_snapshots: texts('Snapshots of views that froze the same revision.'),
        published: texts('Paths that show it, or would after a rollback.'),
      }),
    )
    .describe('Of the repositories chosen, oldest first.'),
  removed: count('Snapshots that go.'),
  kept: count('Snapshots that stay.'),
  freed_blobs: count('Blobs that nothing but those that go needs.'),
  freed_bytes: bytes('What they take: a `pool gc` frees it once its grace has passed.'),
  dry_run: flag('Whether nothing was touched.'),
})
