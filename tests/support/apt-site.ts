import { readFile } from 'node:fs/promises'
import type { Surroundings } from '../../src/open-context.ts'
import { type AptKey, aptDates, aptKeyFile, aptPrivateKeyFile } from './apt-upstream.ts'
import { openSite, type Site } from './site.ts'

export const aptModes = ['mirror', 'filtered'] as const

export interface AptTerms {
  /** Default: `stable`. */
  readonly suites?: readonly string[]
  /** Further options under `apt`. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Of the filtered repository alone: further options under `apt`, and what is under `filters`. */
  readonly generated?: Readonly<Record<string, unknown>>
  readonly filters?: Readonly<Record<string, unknown>>
  /** That verify. Default: `archive`. */
  readonly keys?: readonly AptKey[]
  /** Default: a day after the first state. */
  readonly now?: Date
  /** In place of `now`. */
  readonly clock?: Pick<Surroundings, 'now' | 'wait'>
}

/** A site with one repository in each mode, called by its mode; what is generated is signed by the key `other`. */
export async function openAptSite(feed: URL, terms: AptTerms = {}): Promise<Site> {
  const { suites = ['stable'], options = {}, generated = {}, filters, keys = ['archive'], clock } = terms
  const now = terms.now ?? new Date(aptDates.v1.getTime() + 24 * 60 * 60 * 1000)
  return await openSite({
    repositories: aptModes.map((mode) => ({
      id: mode,
      type: 'apt',
      mode,
      feed: feed.href,
      apt: { suites, ...options, ...(mode === 'filtered' ? generated : {}) },
      verify: { keys: keys.map(aptKeyFile) },
      ...(mode === 'filtered' && filters && { filters }),
    })),
    sections: { signing: { key_file: 'key.asc' } },
    files: { 'key.asc': await readFile(aptPrivateKeyFile('other'), 'utf8') },
    ...(clock ?? { now: () => now }),
  })
}
