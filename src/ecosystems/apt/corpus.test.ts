import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AptCase,
  aptCases,
  aptCorpus,
  otherAptMaterial,
  suitesOfCorpus,
  whyNoAptCorpus,
} from '../../../tests/support/apt-corpus.ts'
import { type AptTree, readAptTree } from '../../../tests/support/apt-tree.ts'
import { openSite, readTree, type Site, signingKey } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import type { SyncResult } from '../../app/sync/sync-result.ts'

const note = whyNoAptCorpus === null ? '' : ` (skipped: ${whyNoAptCorpus})`
const modes = ['mirror', 'filtered'] as const
const cases = aptCases.map((one) => {
  const { path, suite, options: { components = [], architectures = [] } = {} } = one
  const chosen = [...components, ...architectures].map((word) => ` ${word}`).join('')
  return { ...one, title: `${path} ${suite}${chosen}` }
})

describe.skipIf(whyNoAptCorpus)(`real APT repositories${note}`, () => {
  let upstream: Upstream
  let site: Site
  let files: Readonly<Record<string, string>>
  beforeAll(async () => {
    upstream = await startUpstream({ folder: aptCorpus })
    files = { 'key.asc': (await signingKey()).privateKey }
    const repositories = aptCases.flatMap((corpusCase) => repositoriesOf(corpusCase, upstream.url))
    site = await openSite({ repositories, sections: { signing: { key_file: 'key.asc' } }, files })
  })
  afterAll(async () => {
    await site[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  it('knows every suite of the corpus, and why other folders are none', () => {
    const known = [...aptCases.map(({ path }) => path), ...Object.keys(otherAptMaterial)]
    const isKnown = (folder: string) => known.some((path) => path === folder || path.startsWith(`${folder}/`))

    expect([...new Set(aptCases.map(({ path, suite }) => `${path} ${suite}`))].sort()).toEqual(
      suitesOfCorpus(),
    )
    expect(readdirSync(aptCorpus).filter((folder) => !isKnown(folder))).toEqual([])
  })

  it.each(cases.filter(({ outcome }) => outcome === 'synced'))(
    'mirrors $title, every listed file byte for byte',
    async (corpusCase) => {
      const id = idOf('mirror', corpusCase)
      const result = await site.sync(id)
      await site.publish(id)

      const tree = site.published(`repositories/${id}/latest`)
      const before = await original(corpusCase)
      const after = await readAptTree(tree, corpusCase.suite)
      const files = await readTree(tree)
      const listed = await listedFiles(corpusCase, before)
      expect(result).toMatchObject({ status: 'synced', packages: corpusCase.packages, error: null })
      expect(defects(result).toSorted()).toEqual(expectedDefects(corpusCase, before))
      expect(new Map([...files].filter(([name]) => listed.has(name)))).toEqual(listed)
      // What upstream lists and does not have may be in the pool all the same.
      const known = new Set([
        ...listed.keys(),
        ...[...after.present].map((name) => inSuite(corpusCase, name)),
      ])
      expect([...files.keys()].filter((name) => !known.has(name) && !name.includes('/by-hash/'))).toEqual([])
      expect(after.trouble.filter((text) => !isOfWhatIsLeftOut(corpusCase, text))).toEqual([])
      expect((await site.sync(id)).status).toBe('unchanged')
    },
  )

  it.each(cases.filter(({ outcome }) => outcome === 'synced'))(
    'publishes $title generated, with all that upstream says of each package',
    async (corpusCase) => {
      const id = idOf('filtered', corpusCase)
      const result = await site.sync(id)
      const published = await site.publish(id)

      const after = await readAptTree(site.published(`repositories/${id}/latest`), corpusCase.suite)
      const before = await original(corpusCase)
      expect(result.packages).toBe(corpusCase.packages)
      expect(published.signedBy).toBe((await signingKey()).fingerprint)
      expect(after.trouble).toEqual([])
      expect(describedPackages(after)).toEqual(describedPackages(before))
      expect(policyOf(after)).toEqual(policyOf(before))
      const { components, architectures } = corpusCase.options ?? {}
      const [isFlat, said] = [corpusCase.suite.endsWith('/'), before.fields]
      if (!isFlat)
        expect(after.fields.get('Components')).toBe(components?.join(' ') ?? said.get('Components'))
      expect(after.fields.get('Architectures')).toBe(architectures?.join(' ') ?? said.get('Architectures'))
    },
  )

  it.each(cases.filter(({ there = 0 }) => there > 0))(
    'takes what is there of $title where it may',
    async (corpusCase) => {
      const id = idOf('lenient', corpusCase)
      const result = await site.sync(id)
      await site.publish(id)

      const { trouble, pool } = await readAptTree(
        site.published(`repositories/${id}/latest`),
        corpusCase.suite,
      )
      expect(result).toMatchObject({ status: 'synced', packages: corpusCase.there })
      expect(result.missing.length).toBeGreaterThan(0)
      expect(trouble).toEqual([])
      expect(pool.size).toBeGreaterThan(corpusCase.there ?? 0)
    },
  )

  it.each(cases.filter(({ outcome }) => outcome !== 'synced'))(
    'refuses $title: $outcome; and publishes nothing of it',
    async (corpusCase) => {
      const { outcome, unverified, there, at } = corpusCase
      // What other repositories have brought into the pool would not be missing.
      await using site = await openSite({
        repositories: repositoriesOf(corpusCase, upstream.url),
        ...(at && { now: () => at }),
      })
      const kinds = [...modes, ...(there === 0 ? ['lenient'] : []), ...(unverified ? ['unverified'] : [])]
      const results = new Map<string, SyncResult>()
      for (const kind of kinds) results.set(kind, await site.trySync(idOf(kind, corpusCase)))

      for (const [kind, { status, revision, cause }] of results) {
        const expected = kind === 'unverified' ? (unverified ?? outcome) : outcome
        expect(cause?.code ?? 'synced').toBe(expected)
        expect(status).toBe(
          expected === 'synced' ? 'synced' : expected === 'SYNC_INCOMPLETE' ? 'partial' : 'failed',
        )
        expect(revision === null).toBe(expected !== 'synced')
      }
      await expect(site.publish(idOf('mirror', corpusCase))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    },
  )
})

const idOf = (kind: string, { path, suite, options }: AptCase) =>
  [kind, path, suite, ...(options?.components ?? []), ...(options?.architectures ?? [])]
    .join('-')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')

/** The same upstream in every way that it can be taken. */
function repositoriesOf(corpusCase: AptCase, upstream: URL) {
  const { path, suite, key, options } = corpusCase
  const verify = key && { verify: { keys: [resolve(aptCorpus, key)] } }
  const base = {
    type: 'apt',
    feed: new URL(`${path}/`, upstream).href,
    apt: { suites: [suite], sources: true, ...options },
  }
  const id = (kind: string) => idOf(kind, corpusCase)
  return [
    ...modes.map((mode) => ({ id: id(mode), ...base, ...verify, mode })),
    { id: id('lenient'), ...base, ...verify, mode: 'filtered', on_missing: 'skip' },
    { id: id('unverified'), ...base, mode: 'mirror' },
  ]
}

function defects({ warnings }: Pick<SyncResult, 'warnings'>): readonly string[] {
  return warnings.map(({ code }) => code).filter((code) => code !== 'VERIFICATION_OFF')
}

/** Source packages are asked for everywhere, and not every archive has some. */
function expectedDefects({ warnings = [] }: AptCase, { listed }: AptTree): readonly string[] {
  const hasSources = [...listed.keys()].some((name) => /(^|\/)Sources(\.\w+)?$/.test(name))
  return [...warnings, ...(hasSources ? [] : ['METADATA_MISSING'])].toSorted()
}

/** Of the corpus, with nothing but what the case takes. */
async function original(corpusCase: AptCase): Promise<AptTree> {
  const tree = await readAptTree(join(aptCorpus, corpusCase.path), corpusCase.suite)
  const isTaken = ([name]: readonly [string, unknown]) => isChosen(corpusCase, name)
  return {
    ...tree,
    listed: new Map([...tree.listed].filter(isTaken)),
    present: new Set([...tree.present].filter((name) => isTaken([name, null]))),
    indexes: new Map([...tree.indexes].filter(isTaken)),
  }
}

function isChosen({ options }: AptCase, name: string): boolean {
  const { components, architectures } = options ?? {}
  const [, architecture] = /(?:binary|Contents(?:-udeb)?)-([a-z0-9]+)/.exec(name) ?? []
  const isOfComponent = components?.some((component) => name.startsWith(`${component}/`)) ?? true
  return isOfComponent && (architecture === undefined || (architectures?.includes(architecture) ?? true))
}

/** What a mirror has to hold: SHA-256 by path. Whatever else lies in the folder is listed by nothing. */
async function listedFiles(
  corpusCase: AptCase,
  { present, pool, indexes }: AptTree,
): Promise<ReadonlyMap<string, string>> {
  const documents = ['InRelease', 'Release', 'Release.gpg', ...present]
  const packages = [...pool].filter(([, listing]) => listing.some((index) => indexes.has(index)))
  const listed = new Set([
    ...documents.map((name) => inSuite(corpusCase, name)),
    ...packages.map(([name]) => name),
  ])
  return new Map([...(await readTree(join(aptCorpus, corpusCase.path)))].filter(([name]) => listed.has(name)))
}

function inSuite({ suite }: AptCase, name: string): string {
  return join(suite.endsWith('/') ? suite : `dists/${suite}`, name)
}

/** Of an index that a verbatim Release lists and that was not chosen. */
function isOfWhatIsLeftOut(corpusCase: AptCase, trouble: string): boolean {
  const [, index] = /^no (\S+) in any form$/.exec(trouble) ?? []
  return index !== undefined && !isChosen(corpusCase, index)
}

/** Stanzas by index, without their order and the places of files. An empty index is as good as none. */
function describedPackages({ indexes }: AptTree): ReadonlyMap<string, readonly string[]> {
  const lists = [...indexes].filter(([name]) => /(^|\/)(Packages|Sources)$/.test(name))
  return new Map(
    lists.flatMap(([name, stanzas]) => {
      const texts = stanzas.map((stanza) => stanza.replace(/^(Filename|Directory): .*\n?/m, '')).sort()
      return texts.length === 0 ? [] : [[name, texts] as const]
    }),
  )
}

/** What Release says besides what it holds, its times, and where things of upstream's are. */
function policyOf({ fields }: AptTree): ReadonlyMap<string, string> {
  const ours = [
    'Architectures',
    'Components',
    'Date',
    'Valid-Until',
    'Acquire-By-Hash',
    'Changelogs',
    'Snapshots',
    'Signed-By',
    'No-Support-for-Architecture-all',
  ]
  return new Map([...fields].filter(([name]) => !ours.includes(name)).sort())
}
