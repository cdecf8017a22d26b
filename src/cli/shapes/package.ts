import * as z from 'zod'
import { packageFacts } from './content.ts'
import { count, countOrNull, durationMs, flag, text } from './values.ts'

export const uploadResult = z.strictObject({
  repository: text('Its id.'),
  revision: count('The latest after it.'),
  packages: count('Of that revision.'),
  uploaded: z
    .array(
      packageFacts.extend({
        file: text('As it was named.'),
        status: z
          .enum(['added', 'replaced', 'unchanged'])
          .describe('`replaced` with `--force`; `unchanged` where the repository held it.'),
      }),
    )
    .describe('In the order of the files.'),
  duration_ms: durationMs,
})

export const removeResult = z.strictObject({
  repository: text('Its id.'),
  revision: count('The latest after it; of a dry run the one that is.'),
  packages: count('Of that revision.'),
  removed: z.array(packageFacts).describe('In the order of their keys.'),
  done: flag('`false` after a dry run.'),
})

export const copyResult = z.strictObject({
  from: text('The source.'),
  repository: text('The id of the repository that they came to.'),
  revision: count('Its latest after it; of a dry run the one that is, and 0 where there is none yet.'),
  packages: count('Of that revision.'),
  copied: z
    .array(
      packageFacts.extend({
        from: text('The key that it had where it came from.'),
        status: z
          .enum(['added', 'replaced', 'unchanged'])
          .describe('`replaced` with `--force`; `unchanged` where the repository held it.'),
      }),
    )
    .describe('As they are in that repository.'),
  left_revision: countOrNull('The revision that they left; `null` of a copy, and of a dry run.'),
  done: flag('`false` after a dry run.'),
  duration_ms: durationMs,
})
