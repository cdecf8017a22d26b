import { z } from 'zod'
import { packageFacts } from './content.ts'
import { bytes, count, flag, text, textOrNull, texts, time } from './values.ts'

export const snapshotRow = z.strictObject({
  source: text('`ID@NAME`'),
  revision: count('The revision that it names.'),
  packages: count('Packages in it.'),
  size_bytes: bytes('Packages and metadata.'),
  created_at: time('When it was made.'),
  description: textOrNull('As given.'),
  labels: z.record(z.string(), z.string()).describe('As given.'),
  published: texts('Paths that show it.'),
})

export const sourceDetails = z.strictObject({
  source: text('As asked for.'),
  repository: text('Its id.'),
  revision: count('The revision behind it.'),
  mode: text('As the repository was synced: `mirror`, `filtered`, `hosted`.'),
  packages: count('Packages in it.'),
  size_bytes: bytes('Packages and metadata.'),
  sealed_at: time('When that revision was synced.'),
  snapshot: snapshotRow.nullable().describe('Where the source is a snapshot.'),
  published: texts('Paths that show that revision.'),
})

export const sourceDiff = z.strictObject({
  from: text('The first source.'),
  to: text('The second source.'),
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
})

export const deletedSnapshot = z.strictObject({
  source: text('`ID@NAME`'),
  packages: count('Packages in it.'),
  deleted: flag('`false` after a dry run.'),
})
