import * as z from 'zod'

/** The words that shapes are made of. */
export const text = (what: string) => z.string().describe(what)
export const textOrNull = (what: string) => z.string().nullable().describe(what)
export const texts = (what: string) => z.array(z.string()).describe(what)
export const count = (what: string) => z.int().min(0).describe(what)
export const countOrNull = (what: string) => z.int().min(0).nullable().describe(what)
export const bytes = (what: string) => z.int().min(0).describe(`${what} In bytes.`)
export const milliseconds = (what: string) => z.int().min(0).describe(`${what} In milliseconds.`)
export const time = (what: string) => z.iso.datetime().describe(what)
export const timeOrNull = (what: string) => z.iso.datetime().nullable().describe(what)
export const flag = (what: string) => z.boolean().describe(what)

export const durationMs = milliseconds('How long it took.')

export const syncStatus = z
  .enum(['synced', 'unchanged', 'planned', 'partial', 'failed'])
  .describe('`planned` after a dry run; `partial` where upstream lists what it has not; `failed` otherwise.')

export const lastSync = z
  .strictObject({ at: time('When it ended.'), status: syncStatus })
  .nullable()
  .describe('`null` before the first one.')

/** What any error consists of. */
export const errorFacts = z.strictObject({
  code: text('One of [errors](errors.md); never changes its meaning.'),
  message: text('What, where, expected and actual. May be several lines.'),
  hint: textOrNull('What to do about it.'),
  details: z
    .record(z.string(), z.unknown())
    .describe('Facts of this error: paths, URLs, digests, lists without end.'),
})

export const warning = z.strictObject({
  code: text('One of [warnings](errors.md#warnings).'),
  message: text('What a user should know.'),
})
