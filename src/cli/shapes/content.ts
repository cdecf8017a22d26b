import * as z from 'zod'
import { bytes, text, textOrNull, texts, timeOrNull } from './values.ts'

const facts = {
  key: text('What tells it from every other package of its repository.'),
  name: text('Its name.'),
  version: text("As its ecosystem writes it; an RPM's as epoch:version-release."),
  architecture: textOrNull('`null` where its ecosystem knows none.'),
  size_bytes: bytes('All of its files.'),
  sha256: text('Of its first file.'),
  path: text('Of its first file, within the repository.'),
  repository: text('The id of its repository.'),
  signature: z
    .strictObject({
      verdict: z
        .enum(['good', 'unsigned', 'unknown-key', 'unsupported', 'bad'])
        .describe('What came of checking it.'),
      key: textOrNull(
        'Fingerprint of the key of a good one; of others the id of the key, where they name one.',
      ),
      signed_at: timeOrNull('When a good one was made.'),
      reason: textOrNull('What keeps it from being good.'),
    })
    .nullable()
    .describe("The package's own signature; `null` where it was not checked."),
}

export const packageFacts = z.strictObject(facts)

export const auditedPackage = z.strictObject({
  ...facts,
  origin: textOrNull(
    "URL of its first file at the repository's feed, as configured today; of a list of mirrors, that of the list; `null` where it was uploaded, or its repository is not configured any more.",
  ),
  files: z
    .array(
      z.strictObject({
        path: text('Within the repository.'),
        size_bytes: bytes('Its size.'),
        sha256: text('Of its bytes.'),
        origin: textOrNull('As of the package.'),
      }),
    )
    .describe('All of its files; a Debian source package has several.'),
})

const found = { ...facts, in: texts('Sources or revisions that hold it.') }

export const foundPackage = z.strictObject(found)

export const packageDetails = z.strictObject({
  ...found,
  built_at: timeOrNull('When it was built.'),
  files: z
    .array(
      z.strictObject({
        path: text('Within the repository.'),
        size_bytes: bytes('Its size.'),
        sha256: text('Its name in the pool.'),
      }),
    )
    .describe('All of its files.'),
  attributes: z.record(z.string(), z.unknown()).describe('What only its ecosystem knows.'),
})
