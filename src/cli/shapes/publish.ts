import * as z from 'zod'
import { count, durationMs, flag, text, textOrNull, texts, timeOrNull } from './values.ts'

export const publishResult = z.strictObject({
  path: text('Below `published_path`; of an export the folder.'),
  generation: text('The finished tree behind it.'),
  sources: texts('What it shows.'),
  packages: count('Packages in it.'),
  files: count('Files in it.'),
  signed_by: textOrNull('Fingerprint of our key; `null` where upstream signed, or nobody.'),
  unchanged: flag('Equal input was published already, and no generation was made.'),
  package_links: count('Hard links made for package files.'),
  duration_ms: durationMs,
})

export const publicationRow = z.strictObject({
  path: text('Below `published_path`.'),
  generation: textOrNull('The current one; `null` while the first is being made.'),
  sources: texts('What it shows.'),
  packages: count('Packages in it.'),
  files: count('Files in it.'),
  signed_by: textOrNull('Fingerprint of our key; `null` where upstream signed, or nobody.'),
  published_at: timeOrNull('When clients began to see it.'),
  held_since: timeOrNull('Since a rollback: publishing is refused until `publish release`.'),
  earlier: texts('Generations that a rollback can go to, newest first.'),
})

export const released = z.strictObject({
  path: text('Below `published_path`.'),
  was_held: flag('Whether it had been held.'),
})

export const unpublished = z.strictObject({
  path: text('Below `published_path`.'),
  generations: count('Trees that were kept for it.'),
  removed: flag('`false` after a dry run.'),
})
