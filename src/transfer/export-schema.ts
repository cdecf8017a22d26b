import * as z from 'zod'
import type { Json, JsonObject } from '../core/brand.ts'

/** Goes up whenever a reader of the version before could take an export for something else than it is. */
export const exportVersion = 1

/** The member of a JSON export that holds its items. */
export const itemsMember = 'items'

/** Neither database keeps a zero byte, and nothing writes half a character. */
const isText = (text: string) => !text.includes('\u0000') && text.isWellFormed()

/** In bytes. No ecosystem makes longer ones, and an index of PostgreSQL takes little more. */
const longestKey = 2400

const text = (what: string) => z.string().refine(isText, 'not a text that can be kept').describe(what)
const named = (what: string, pattern: RegExp, expected: string) =>
  z.string().max(255).regex(pattern, `not ${expected}`).describe(what)
const repositoryId = (what: string) => named(what, /^[a-z0-9][a-z0-9._-]*$/, 'an id')
const time = (what: string) =>
  z
    .string()
    .refine((value) => isTime(value), 'not a time as 2026-11-01T00:00:00.000Z')
    .describe(what)
/** A description stays at what it describes: `nullable` makes another of it. */
const orNull = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullable().describe(schema.description ?? '')
const count = (what: string) => z.int().min(0).describe(what)
const number = (what: string) => z.int().min(1).describe(what)
const json = (what: string) => z.custom<Json>((value) => isJson(value), 'not a value of JSON').describe(what)
const jsonObject = (what: string) =>
  z
    .custom<JsonObject>((value) => isPlainObject(value) && isJson(value), 'not an object of JSON')
    .describe(what)

function isTime(value: string): boolean {
  const time = new Date(value)
  return !Number.isNaN(time.getTime()) && time.toISOString() === value
}

/** The same value stays: what a database has as text is written as it was. */
function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isJson)
  return isPlainObject(value) && Object.values(value).every(isJson)
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const mode = z.enum(['mirror', 'filtered', 'hosted'])

export const exportHeader = z.strictObject({
  chantal_export: z.literal(exportVersion).describe('Version of this format.'),
  catalog: z
    .uuid()
    .nullable()
    .describe(
      'Id of the catalog, which an empty one takes over. `null` where only some repositories were exported.',
    ),
})

const checksum = z.strictObject({
  algorithm: z.enum(['md5', 'sha1', 'sha224', 'sha384', 'sha512']).describe('Of the checksum.'),
  hex: named('Its digits.', /^[0-9a-f]{32,128}$/, 'the digits of a checksum'),
})

const fileFields = {
  path: text('Within the repository.'),
  sha256: named('Of its bytes: which blob of the pool it is.', /^[0-9a-f]{64}$/, 'a SHA-256 digest'),
  size: count('In bytes.'),
  checksums: z
    .array(checksum)
    .min(1)
    .optional()
    .describe('Others that it is known by. Absent where there are none.'),
}

const intervalFields = {
  added_in: number('The first revision that holds it.'),
  removed_in: orNull(number('The first one after that which does not; `null` where the latest does.')),
}

const repository = z.strictObject({
  type: z.literal('repository'),
  id: repositoryId("The repository's id."),
  ecosystem: named('`rpm`, `apt`, ...', /^[a-z][a-z0-9-]*$/, "an ecosystem's name"),
  mode: mode.describe('As it was last configured.'),
  checkpoint: json('What the last sync noted of upstream. Not ours to read.'),
})

const revision = z.strictObject({
  type: z.literal('revision'),
  number: number('1, 2, 3, ... without gaps.'),
  mode: mode.describe('As it was synced.'),
  has_records: z
    .boolean()
    .describe(
      'Whether its packages come with native records: those of mirrors only where a view needs them.',
    ),
  sealed_at: time('When it was complete.'),
  packages: count('How many it holds.'),
  size: count('Of all its files, in bytes.'),
  pruned_at: orNull(time('When its content was forgotten; `null` while it is kept.')),
})

const file = z.strictObject({ type: z.literal('file'), ...fileFields, ...intervalFields })

const verdict = z
  .discriminatedUnion('state', [
    z.strictObject({
      state: z.literal('good'),
      fingerprint: text('Of the primary key.'),
      key_id: text('Of the key that signed.'),
      signed_at: time('When.'),
    }),
    z.strictObject({ state: z.literal('unsigned') }),
    z.strictObject({
      state: z.literal('unknown-key'),
      key_ids: z.array(z.string()).describe('Of the keys that signed.'),
    }),
    z.strictObject({
      state: z.literal('unsupported'),
      key_id: orNull(text('Of the key that signed.')),
      reason: text('Why.'),
    }),
    z.strictObject({
      state: z.literal('bad'),
      key_id: orNull(text('Of the key that signed.')),
      reason: text('Why.'),
    }),
  ])
  .describe('What checking its signature came to.')

const record = z
  .strictObject({
    part: named('`primary`, ...', /^[!-~]+$/, 'the name of a part'),
    text: z.string().optional().describe('Its bytes, where they are UTF-8.'),
    base64: z.base64().optional().describe('Its bytes, where they are not.'),
  })
  .refine((value) => (value.text === undefined) !== (value.base64 === undefined), 'either `text` or `base64`')
  .refine((value) => value.text?.isWellFormed() ?? true, 'text: half a character')

const pkg = z.strictObject({
  type: z.literal('package'),
  key: text('What makes it unique in its repository.')
    .min(1)
    .refine((key) => Buffer.byteLength(key) <= longestKey, `longer than ${longestKey} bytes`),
  name: text('Its name.'),
  version: text('Its whole version.'),
  architecture: orNull(text('`null` where its ecosystem has none.')),
  built_at: orNull(time('When it was built; `null` where it does not say.')),
  identity: text('Equal for equal content.'),
  attributes: jsonObject("Its ecosystem's own facts."),
  signature: z
    .strictObject({ verdict, policy: text('Equal for equal keys and rules of checking.') })
    .optional()
    .describe('Absent where it was never checked.'),
  files: z.array(z.strictObject(fileFields)).min(1).describe('The first is the one that clients install.'),
  records: z
    .array(record)
    .min(1)
    .refine((records) => new Set(records.map(({ part }) => part)).size === records.length, 'a part twice')
    .optional()
    .describe(
      "What upstream's indexes say of it, word by word, part by part. Absent for packages of mirrors.",
    ),
  ...intervalFields,
})

const snapshotName = named(
  'Its name.',
  /^(?!latest$)(?!\d{8}T\d{6}Z$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
  "a snapshot's name",
)

const snapshotFields = {
  created_at: time('When it was made.'),
  created_by: orNull(text('Who made it; `null` where that was not noted.')),
  description: orNull(text('Why.')),
  labels: z
    .custom<Readonly<Record<string, string>>>(
      (value) => isPlainObject(value) && Object.values(value).every((each) => typeof each === 'string'),
      'not an object of texts',
    )
    .describe('Names and values.'),
  pinned: z.boolean().describe('Whether retention leaves it alone.'),
}

const snapshot = z.strictObject({
  type: z.literal('snapshot'),
  name: snapshotName,
  revision: number('The revision that it names, which is kept.'),
  ...snapshotFields,
})

const viewSnapshot = z.strictObject({
  type: z.literal('view_snapshot'),
  view: repositoryId("The view's name."),
  name: snapshotName,
  members: z
    .array(
      z.strictObject({
        repository: repositoryId('The id of a repository of this export.'),
        revision: number('The revision of it that is frozen, which is kept.'),
      }),
    )
    .min(1)
    .describe('In order.'),
  ...snapshotFields,
})

const sync = z.strictObject({
  type: z.literal('sync'),
  kind: z.enum(['sync', 'upload', 'copy', 'remove']).describe('What it was: packages may come by hand too.'),
  started_at: time('When it began.'),
  finished_at: time('When it ended.'),
  status: z.enum(['synced', 'unchanged', 'partial', 'failed']).describe('What it came to.'),
  revision: orNull(number('The latest after it.')),
  packages: count('Of that revision.'),
  added: count('Packages that came.'),
  removed: count('Packages that went.'),
  replaced: count('Packages whose bytes changed.'),
  fetched_files: count('What was fetched.'),
  fetched_bytes: count('In bytes.'),
  missing: z
    .array(
      z.strictObject({
        path: z.string().describe('Within the repository.'),
        url: z.string().describe('What was tried.'),
        reason: z.string().describe('Why it did not come.'),
      }),
    )
    .describe('What upstream lists and has not.'),
  warnings: z
    .array(
      z.strictObject({
        code: z.string().describe('One of [warnings](errors.md#warnings).'),
        message: z.string().describe('What a user should know.'),
      }),
    )
    .describe('What it warned of.'),
  error: z
    .strictObject({
      code: z.string().describe('One of [errors](errors.md).'),
      message: z.string().describe('What went wrong.'),
      hint: z.string().nullable().describe('What to do about it.'),
      details: jsonObject('Facts of this error.'),
    })
    .nullable()
    .describe('Why it failed.'),
  signed_by: orNull(text('Whose signature on the metadata was good.')),
})

const end = z.strictObject({
  type: z.literal('end'),
  repositories: count('How many the export holds.'),
  view_snapshots: count('How many it holds of views.'),
})

/** In the order in which they stand: a repository with all that is its own, the next one, what belongs to several, and the end. */
export const exportItems = {
  repository,
  revision,
  file,
  package: pkg,
  snapshot,
  sync,
  view_snapshot: viewSnapshot,
  end,
} as const

export const exportItem = z.discriminatedUnion('type', [
  repository,
  revision,
  file,
  pkg,
  snapshot,
  sync,
  viewSnapshot,
  end,
])

export type ExportHeader = z.infer<typeof exportHeader>
export type ExportItem = z.infer<typeof exportItem>
export type ExportItemOf<Type extends ExportItem['type']> = Extract<ExportItem, { type: Type }>
export type ExportFileFields = Omit<ExportItemOf<'file'>, 'type' | 'added_in' | 'removed_in'>
export type ExportVerdict = z.infer<typeof verdict>
export type ExportRecord = z.infer<typeof record>
