import * as z from 'zod'
import { text, textOrNull, texts } from './values.ts'

export const initialized = z.strictObject({
  files: z.array(
    z.strictObject({
      path: text('Where it is.'),
      holds: z.enum(['configuration', 'signing_key', 'public_key']).describe('What it is.'),
      status: z.enum(['written', 'kept']).describe('`kept`: it was there, and is as it was.'),
    }),
  ),
  fingerprint: textOrNull('Of the key that was made; `null` where there was one.'),
  next: texts('What to do now, for people.'),
})
