import { z } from 'zod'
import { packageFacts } from './content.ts'
import { count, durationMs, flag, text } from './values.ts'

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
