import * as z from 'zod'
import { publishResult } from './publish.ts'
import {
  bytes,
  count,
  countOrNull,
  durationMs,
  errorFacts,
  flag,
  lastSync,
  syncStatus,
  text,
  textOrNull,
  texts,
  time,
  warning,
} from './values.ts'

const repository = {
  id: text('Its id.'),
  name: textOrNull('For people.'),
  type: text('Its ecosystem.'),
  mode: z.enum(['mirror', 'filtered', 'hosted']).describe('How it is published.'),
  enabled: flag('Whether `--all` includes it.'),
  feed: textOrNull('Its upstream, the first of several, without credentials; `null` where it has none.'),
  packages: count('Of the latest revision; 0 before the first sync.'),
  size_bytes: bytes('Packages and metadata of the latest revision.'),
  revision: countOrNull('The latest; `null` before the first sync.'),
  last_sync: lastSync,
}

export const repositoryRow = z.strictObject(repository)

export const repositoryDetails = z.strictObject({
  ...repository,
  tags: texts('As configured.'),
  on_missing: z.enum(['fail', 'skip']).describe('What becomes of packages that upstream lists and has not.'),
  verified_by: z
    .array(z.string())
    .nullable()
    .describe('Fingerprints that upstream’s metadata is checked against; `null` where it is not checked.'),
  package_signatures: z
    .enum(['require', 'warn', 'off'])
    .nullable()
    .describe(
      'What becomes of packages without a good signature of their own, as `verify.packages` says; `null` where packages carry none.',
    ),
  signed_with: textOrNull('Our signing key; `null` where nothing is generated, or it is published unsigned.'),
  upstream_signed_by: textOrNull('Whose signature was good at the last sync.'),
  revisions: count('Revisions that are kept.'),
  snapshots: texts('Its snapshots, as sources.'),
  published: texts('Paths that show it.'),
  last_error: errorFacts.nullable().describe('Of the last sync, where that failed.'),
})

const missing = z
  .array(
    z.strictObject({
      path: text('Path within the repository.'),
      url: text('Where it was asked for.'),
      reason: text('What upstream answered.'),
    }),
  )
  .describe('What upstream lists and has not.')

const changes = {
  added: count('Packages that came.'),
  removed: count('Packages that went.'),
  replaced: count('Packages whose bytes changed under the same key.'),
  fetched_files: count('Files that were downloaded.'),
  fetched_bytes: bytes('What was downloaded.'),
  missing,
  warnings: z.array(warning).describe('What a user should know.'),
  error: errorFacts.nullable().describe('Why it failed.'),
  signed_by: textOrNull('Fingerprint of the key whose signature on the metadata was good.'),
}

const synced = z.strictObject({
  id: text('The repository.'),
  status: syncStatus,
  revision: countOrNull('The latest after it.'),
  packages: count('Of that revision.'),
  ...changes,
  duration_ms: durationMs,
  plan: z
    .strictObject({
      added: texts('Keys of packages that would come.'),
      removed: texts('Keys of packages that would go.'),
      replaced: texts('Keys of packages whose bytes would change.'),
      fetch_files: count('Files that would be downloaded.'),
      fetch_bytes: bytes('What would be downloaded.'),
      disk_left_bytes: z.int().describe('Left on the disk of the pool after it; may be negative. In bytes.'),
    })
    .nullable()
    .describe('Of a dry run that found something to do.'),
})

export const syncDocument = z.strictObject({
  repositories: z.array(synced).describe('In the order of the configuration.'),
  published: z.array(publishResult).optional().describe('With `--publish`: what was published.'),
  unpublished: z
    .array(z.strictObject({ id: text('The repository.'), error: errorFacts }))
    .optional()
    .describe('With `--publish`: what was synced and could not be published.'),
})

export const historyRow = z.strictObject({
  repository: text('Its id.'),
  kind: z
    .enum(['sync', 'upload', 'copy', 'remove'])
    .describe('What it was: a `repo sync`, or a `package` command; `package move` is a copy and a removal.'),
  started_at: time('When it began.'),
  finished_at: time('When it ended.'),
  status: syncStatus,
  revision: countOrNull('The latest after it.'),
  packages: count('Of that revision.'),
  ...changes,
})
