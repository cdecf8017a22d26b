import * as z from 'zod'
import { repositoryRow } from './repository.ts'
import { bytes, count, flag, text, textOrNull, texts, time } from './values.ts'

export const poolStats = z.strictObject({
  path: text('The folder of the pool.'),
  blobs: count('Files in it.'),
  size_bytes: bytes('What they take.'),
  free_bytes: bytes('Free on its disk.'),
  referenced_bytes: bytes('What kept revisions hold, each counted for itself.'),
  dedupe_ratio: z.number().nullable().describe('Referenced over stored; `null` for an empty pool.'),
})

export const verified = z.strictObject({
  checked: count('Blobs that this run read.'),
  checked_bytes: bytes('What this run read.'),
  resumed: z
    .strictObject({
      started_at: time('When the first of them began.'),
      checked: count('Blobs that they read.'),
      checked_bytes: bytes('What they read.'),
    })
    .nullable()
    .describe('Interrupted runs after which this one went on; `null` where it read everything.'),
  damaged: z
    .array(
      z.strictObject({
        digest: text('SHA-256 that the blob should have.'),
        state: z.enum(['missing', 'corrupt']).describe('What is wrong.'),
        repaired: flag('Whether sound bytes are in its place now.'),
        reason: textOrNull('Why it could not be repaired.'),
        files: texts('Where it belongs: `repository: path`.'),
        snapshots: texts('Snapshots that need it.'),
        publications: texts('Paths that show it.'),
      }),
    )
    .describe('All that is not as it should be.'),
  unreplaced: z
    .array(
      z.strictObject({
        path: text('Below `published_path`.'),
        reason: text('Why it could not be replaced.'),
      }),
    )
    .describe(
      'Published files that should have got the bytes of repaired blobs, and have not; also folders whose list of files is damaged.',
    ),
  repaired: count('How many of them were repaired.'),
})

export const collected = z.strictObject({
  removed: count('Blobs.'),
  freed_bytes: bytes('What they took.'),
  kept: count('Blobs that stay.'),
  pruned_revisions: count('Old revisions whose content was forgotten.'),
  dry_run: flag('Whether nothing was touched.'),
})

export const stats = z.strictObject({
  configured_repositories: count('In the configuration.'),
  synced_repositories: count('That have been synced.'),
  revisions: count('That are kept.'),
  snapshots: count('Of all repositories and views.'),
  publications: count('Published paths.'),
  packages: count('Of all kept revisions, each once.'),
  pool: poolStats.describe('As of `pool stats`.'),
  repositories: z.array(repositoryRow).describe('As of `repo list`.'),
})

export const leaseRow = z.strictObject({
  resource: text('What is worked on: `repository:epel9`.'),
  mode: z.enum(['shared', 'exclusive']).describe('Whether others may, too.'),
  state: z.enum(['held', 'waiting']).describe('Whether it is at work, or waits for its turn.'),
  purpose: text('What for.'),
  host: text('Where the process runs.'),
  pid: count('Its process.'),
  acquired_at: time('Since when.'),
  expires_at: time('When others may take it, unless it is renewed.'),
  health: z
    .enum(['alive', 'dead', 'conflicting'])
    .describe(
      '`dead`: its holder is gone, and the next who asks gets it. `conflicting`: two hold what one may.',
    ),
})

export const checkedConfiguration = z.strictObject({
  files: texts('Files that were read, the main one first.'),
  repositories: count('Configured ones.'),
  views: count('Configured ones.'),
  notices: texts('What is worth knowing: old spellings, keys about to expire.'),
})

export const orphanedBlob = z.strictObject({
  digest: text('SHA-256 of its bytes.'),
  size_bytes: bytes('What it takes.'),
  state: z
    .enum(['unnamed', 'unreached'])
    .describe('`unnamed`: the catalog has no row of it; `unreached`: it has, and nothing needs it.'),
  stored_at: time('When it came into the pool.'),
})

export const missingBlob = z.strictObject({
  digest: text('SHA-256 of its bytes.'),
  size_bytes: bytes('What it would take.'),
  files: texts('Where it belongs: `repository: path`.'),
  snapshots: texts('Snapshots that need it.'),
  publications: texts('Paths that show it.'),
})

export const adoptedPool = z.strictObject({
  path: text('The folder of the pool.'),
  previous: textOrNull('Id of the catalog that had it; `null` where there was no marker.'),
  catalog: text('Id of this catalog.'),
  blobs: count('Files in the pool.'),
  unknown_blobs: count('Of these, what this catalog does not know: garbage to it.'),
  unknown_bytes: bytes('What those take.'),
  missing_blobs: count('What this catalog knows and the pool has not.'),
  adopted: flag("`false` after a dry run, and where it was this catalog's already."),
})
