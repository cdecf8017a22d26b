import * as z from 'zod'
import { bytes, count, countOrNull, flag, lastSync, text, textOrNull, texts } from './values.ts'

const facts = {
  name: text('Its name.'),
  description: textOrNull('As configured.'),
  type: text('The kind of its repositories.'),
  packages: count("Of its members' latest revisions, together."),
  size_bytes: bytes('Of these; what two members share counts for each.'),
  ready: flag('Whether every member has a revision that it can be published from.'),
}

export const viewRow = z.strictObject({ ...facts, members: texts('Ids of its repositories, in order.') })

export const viewDetails = z.strictObject({
  ...facts,
  members: z
    .array(
      z.strictObject({
        repository: text('Its id.'),
        mode: text('As configured: `mirror`, `filtered`, `hosted`.'),
        revision: countOrNull('The latest; `null` where it was never synced.'),
        packages: count('In it.'),
        size_bytes: bytes('Packages and metadata.'),
        last_sync: lastSync,
        ready: flag(
          "Whether it comes with what a view's metadata is generated from; where not, a sync brings it.",
        ),
      }),
    )
    .describe('In order.'),
  signed_with: textOrNull('Fingerprint of our key; `null` where it is published unsigned.'),
  snapshots: texts('Its snapshots, as sources.'),
  published: texts('Its published paths.'),
})
