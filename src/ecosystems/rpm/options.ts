import * as z from 'zod'

/** What a user configures under `rpm`. */
export const rpmOptions = z.strictObject({
  compression: z
    .enum(['gzip', 'zstd', 'xz'])
    .default('gzip')
    .describe(
      'How generated metadata is compressed. gzip is read by every client; zstd needs EL 8 or later.',
    ),
})

export type RpmOptions = z.infer<typeof rpmOptions>

const names = (what: string) =>
  z
    .strictObject({
      include: z.array(z.string()).optional().describe(`Only packages of these ${what}.`),
      exclude: z.array(z.string()).optional().describe(`No packages of these ${what}.`),
    })
    .describe(`Compared as a whole, case counts.`)

const epoch = z.union([z.int().nonnegative(), z.string().regex(/^\d+$/)]).transform(String)

/** What a user configures under `filters.rpm`. */
export const rpmFilters = z.strictObject({
  exclude_source_rpms: z
    .boolean()
    .default(false)
    .describe('Leaves out source packages (architectures src and nosrc).'),
  groups: names('RPM groups').optional(),
  licenses: names('licenses').optional(),
  vendors: names('vendors').optional(),
  epochs: z
    .strictObject({
      include: z.array(epoch).optional().describe('Only packages of these epochs.'),
      exclude: z.array(epoch).optional().describe('No packages of these epochs.'),
    })
    .describe('A package without an epoch has 0.')
    .optional(),
})

export type RpmFilters = z.infer<typeof rpmFilters>
