import * as z from 'zod'
import { isChantalError } from '../../core/errors.ts'
import type { RepositoryMode } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { OptionMistake } from '../ecosystem.ts'
import { parsePackageQuery } from './formats/package-query.ts'

const dayMs = 86_400_000

/** One word, as it stands in paths and in lists of a Release file. */
const word = (what: string) =>
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, `expected ${what}, without blanks`)

const path = z.string().refine(isPath, 'expected a relative path without blanks, such as "updates/main"')

/** `bookworm`, `bookworm/updates`; with a slash at its end the folder of a flat repository. */
const suite = z
  .string()
  .refine(
    (text) => text === './' || text === '/' || isPath(text.replace(/^\.\//, '').replace(/\/$/, '')),
    'expected a suite such as "bookworm", or the folder of a flat repository such as "./"',
  )

/** A value of one line that no reader of a Release file takes for anything else. */
const line = z.string().regex(/^[^\u0000-\u001f\u007f\u0085\u2028\u2029]+$/, 'expected one line of text')

const days = z.int().min(1).max(36_500)

/** What generated Release files say in place of upstream's; `null` leaves the field out. */
const release = z
  .strictObject({
    origin: line.nullable().optional().describe('Who publishes it. Clients confirm a change of it by hand.'),
    label: line.nullable().optional().describe('What it is called. Clients confirm a change of it by hand.'),
    suite: line.nullable().optional().describe('As `stable`: what clients pin by. For one suite only.'),
    codename: line.nullable().optional().describe('As `bookworm`. For one suite only.'),
    version: line.nullable().optional().describe('Version of the distribution.'),
    description: line.nullable().optional().describe('One line for people.'),
    not_automatic: z
      .boolean()
      .optional()
      .describe('Clients install nothing from it unless they are told to.'),
    but_automatic_upgrades: z
      .boolean()
      .optional()
      .describe('With `not_automatic`: what was installed from it is upgraded from it.'),
    valid_days: days
      .nullable()
      .optional()
      .describe(
        'Clients refuse the tree when it was not published for so many days; do so at least twice in that time, also where the path is held after a rollback. Without it they always take it: snapshots are meant to be old.',
      ),
    changelogs: line.nullable().optional().describe('Template of the address where clients find changelogs.'),
    snapshots: line.nullable().optional().describe('Template of the address where clients find snapshots.'),
  })
  .refine(
    ({ not_automatic, but_automatic_upgrades }) => !but_automatic_upgrades || not_automatic !== false,
    '"but_automatic_upgrades" means nothing without "not_automatic"',
  )

/** What a user configures under `apt`. */
export const aptOptions = z
  .strictObject({
    suites: z
      .array(suite)
      .min(1)
      .refine((suites) => new Set(suites.map(bare)).size === suites.length, 'the same suite twice')
      .describe(
        'Folders below `dists`: `[bookworm]`. A flat repository is `[./]`, without components; a hosted one is not flat.',
      ),
    components: z
      .array(path)
      .min(1)
      .optional()
      .describe('Only these; without it all that upstream has. `main` finds `updates/main` too.'),
    architectures: z
      .array(
        word('an architecture').refine(
          (name) => name !== 'source',
          '"source" is no architecture: "sources: true" takes source packages',
        ),
      )
      .min(1)
      .optional()
      .describe('Only these; without it all that upstream has. `all` always comes along.'),
    sources: z.boolean().default(false).describe('Source packages too.'),
    languages: z
      .array(word('a language'))
      .optional()
      .describe('Translations of descriptions: `[en, de]`. Without it all that upstream has.'),
    installer: z.boolean().default(false).describe('Images of the Debian installer too.'),
    diffs: z
      .boolean()
      .default(false)
      .describe('Differences between states of the indexes (pdiff) too, in a mirror.'),
    check_valid_until: z
      .boolean()
      .default(true)
      .describe(
        'Refuses what upstream says has expired (Valid-Until): it may be an old state that someone goes on showing us.',
      ),
    check_date: z
      .boolean()
      .default(true)
      .describe(
        'Refuses a Release file whose Date cannot be read, lies in the future, or before that of the one synced last.',
      ),
    compression: z
      .enum(['gzip', 'xz', 'zstd'])
      .default('gzip')
      .describe(
        'How generated indexes are compressed. Every apt reads gzip and xz; zstd needs 2.0 or later.',
      ),
    phased_updates: z
      .enum(['keep', 'release', 'hold'])
      .default('keep')
      .describe(
        'Packages that upstream releases to some machines first. A frozen percentage splits a fleet for ever: `release` publishes them for all, `hold` keeps the version held before them, if there is one, until upstream has released them to all; what is held already stays.',
      ),
    release: release.optional().describe('What generated Release files say, in place of what upstream said.'),
  })
  .refine(
    ({ suites, release }) =>
      suites.length === 1 || (release?.suite === undefined && release?.codename === undefined),
    { path: ['release'], error: '"suite" and "codename" cannot hold for several suites' },
  )
  .refine(
    ({ suites, components }) => components === undefined || !suites.every((name) => name.endsWith('/')),
    { path: ['components'], error: 'a flat repository has no components' },
  )

export type AptOptions = z.infer<typeof aptOptions>

const synced = ['mirror', 'filtered'] as const
const generated = ['filtered', 'hosted'] as const

/** Where an option is not for every mode. */
export const optionModes = {
  sources: synced,
  languages: synced,
  installer: synced,
  diffs: ['mirror'],
  check_valid_until: synced,
  check_date: synced,
  compression: generated,
  phased_updates: ['filtered'],
  release: generated,
} as const satisfies Partial<Record<keyof AptOptions, readonly RepositoryMode[]>>

/** Packages are uploaded to a suite and a component of it. */
export function optionMistakes({ suites }: AptOptions, mode: RepositoryMode): readonly OptionMistake[] {
  if (mode !== 'hosted') return []
  return suites.flatMap((name, index) =>
    name.endsWith('/')
      ? {
          path: ['suites', index],
          problem: `${JSON.stringify(name)} is flat: packages are uploaded to suites`,
          hint: 'Name a suite such as "stable".',
        }
      : [],
  )
}

/** Milliseconds that a published Release file is valid for; `null` without end. */
export function validityOf({ release }: AptOptions): number | null {
  return release?.valid_days == null ? null : release.valid_days * dayMs
}

const names = (what: string) =>
  z
    .strictObject({
      include: z.array(z.string()).optional().describe(`Only packages of these ${what}.`),
      exclude: z.array(z.string()).optional().describe(`No packages of these ${what}.`),
    })
    .describe('Compared as a whole, case counts.')

/** What a user configures under `filters.deb`. */
export const debFilters = z.strictObject({
  sections: names('sections')
    .describe('Compared as a whole: `net`. The component before it (`non-free/net`) may be left out.')
    .optional(),
  priorities: names('priorities').optional(),
  exclude_udebs: z.boolean().default(false).describe('Leaves out packages of the Debian installer (udeb).'),
  query: z
    .string()
    .superRefine((text, context) => {
      try {
        parsePackageQuery(text)
      } catch (error) {
        if (!isChantalError(error, 'CONFIG_INVALID')) throw error
        context.addIssue({ code: 'custom', message: [error.message, error.hint].filter(Boolean).join('; ') })
      }
    })
    .optional()
    .describe(
      'Only packages whose index entry meets it: `Priority (required) | Section (% net*)`. See docs/package-query.md.',
    ),
})

export type DebFilters = z.infer<typeof debFilters>

/** Of a flat repository's folder there are several spellings. */
function bare(suite: string): string {
  return suite.endsWith('/') ? suite.replace(/^(\.?\/)+/, '').replace(/\/*$/, '/') : suite
}

function isPath(text: string): boolean {
  try {
    parseRelativePath(text)
    return !/\s/.test(text)
  } catch {
    return false
  }
}
