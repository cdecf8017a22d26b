import * as z from 'zod'
import type { EcosystemConfigurations } from './ecosystem-configuration.ts'
import { compilePattern } from './pattern.ts'
import { date, size } from './values.ts'

export type FiltersDocument = z.infer<ReturnType<typeof filtersSchema>>

/** `filters` of a repository: the shared ones, and each ecosystem's under its key. */
export function filtersSchema(ecosystems: EcosystemConfigurations) {
  const own = Object.fromEntries(
    [...ecosystems.values()].map(({ title, filterKey, filters }) => [
      filterKey,
      filters.optional().describe(`Filters that only ${title} repositories know.`),
    ]),
  )
  return z
    .strictObject({
      ...own,
      patterns: list(pattern, 'names')
        .optional()
        .describe('JavaScript regular expressions, searched for in the name; ^...$ anchors.'),
      metadata: z
        .strictObject({
          architectures: list(z.string(), 'packages').optional().describe('Architectures.'),
          size_bytes: z
            .strictObject({
              min: size.optional().describe('At least.'),
              max: size.optional().describe('At most.'),
            })
            .optional()
            .describe('Size of the package file.'),
          build_time: z
            .strictObject({
              newer_than: date.optional().describe('Built at this time or later.'),
              older_than: date.optional().describe('Built at this time or earlier.'),
              last_n_days: z.int().min(1).max(36_500).optional().describe('Built in the last days.'),
            })
            .optional()
            .describe('When the package was built.'),
        })
        .optional()
        .describe('What metadata says of a package.'),
      post_processing: z
        .strictObject({
          only_latest_version: z.boolean().optional().describe('Keep the newest version of each package.'),
          only_latest_n_versions: z
            .int()
            .min(1)
            .max(10_000)
            .optional()
            .describe('Keep that many versions of each package.'),
        })
        .optional()
        .describe('Applied to what the other filters leave.'),
    })
    .describe('Which packages are kept.')
}

const pattern = z.string().check((context) => {
  const compiled = compilePattern(context.value)
  if (!(compiled instanceof RegExp))
    context.issues.push({ code: 'custom', input: context.value, message: compiled.problem })
})

const list = <Item extends z.ZodType>(item: Item, what: string) =>
  z.strictObject({
    include: z.array(item).optional().describe(`Only ${what} of these.`),
    exclude: z.array(item).optional().describe(`No ${what} of these.`),
  })
