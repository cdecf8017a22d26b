import * as z from 'zod'
import { bytes, count, flag, text } from './values.ts'

export const exported = z.strictObject({
  path: text('The file.'),
  size_bytes: bytes('Its size.'),
  repositories: count('In it.'),
  revisions: count('Of all of them.'),
  snapshots: count('Of all of them.'),
  packages: count('Of all revisions, once for each time that one came or changed.'),
})

export const imported = z.strictObject({
  catalog: text('Id of the catalog.'),
  is_catalog_taken_over: flag(
    'Whether it was empty, and has taken over the id of the one that was exported.',
  ),
  repositories: z
    .array(
      z.strictObject({
        id: text('The repository.'),
        status: z
          .enum(['added', 'unchanged', 'refused'])
          .describe(
            '`unchanged` where it is there already, and equal; `refused` where there is another of that id.',
          ),
        revisions: count('Of it.'),
        snapshots: count('Of it.'),
        packages: count('Of all its revisions, once for each time that one came or changed.'),
      }),
    )
    .describe('Those of the file.'),
  view_snapshots: z
    .array(
      z.strictObject({
        source: text('`NAME@SNAPSHOT`'),
        status: z
          .enum(['added', 'unchanged', 'refused'])
          .describe('`refused` where there is another of that name, or a member was refused.'),
      }),
    )
    .describe('Snapshots of views of the file.'),
  missing_blobs: count('Blobs that were imported by name and are not in the pool.'),
  missing_bytes: bytes('What they take.'),
})
