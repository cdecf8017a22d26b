import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  foldersWithRepodata,
  otherRpmMaterial,
  type RpmCase,
  rpmCases,
  rpmCorpus,
  whyNoRpmCorpus,
  xmlBase,
} from '../../../tests/support/rpm-corpus.ts'
import { type DescribedPackage, type RpmTree, readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite, readTree, type Site, serveFolder, signingKey } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import type { SyncResult } from '../../app/sync/sync-result.ts'
import { type ModuleDocument, withEpoch } from './formats/modulemd.ts'
import { formatNevra } from './formats/nevra.ts'

const note = whyNoRpmCorpus === null ? '' : ` (skipped: ${whyNoRpmCorpus})`

describe.skipIf(whyNoRpmCorpus)(`real RPM repositories${note}`, () => {
  let upstream: Upstream
  let atXmlBase: AsyncDisposable
  let site: Site
  let files: Readonly<Record<string, string>>
  beforeAll(async () => {
    upstream = await startUpstream({ folder: rpmCorpus })
    atXmlBase = await serveFolder(xmlBase.folder, xmlBase.port)
    files = { 'key.asc': (await signingKey()).privateKey }
    const repositories = rpmCases.flatMap((corpusCase) => repositoriesOf(corpusCase, upstream.url))
    site = await openSite({ repositories, files })
  })
  afterAll(async () => {
    await site[Symbol.asyncDispose]()
    await atXmlBase[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  it('knows every repository of the corpus, and why other folders are none', () => {
    const known = [...rpmCases.map(({ path }) => path), ...Object.keys(otherRpmMaterial)]
    const isKnown = (folder: string) => known.some((path) => path === folder || path.startsWith(`${folder}/`))

    expect(rpmCases.map(({ path }) => path)).toEqual(foldersWithRepodata())
    expect(readdirSync(rpmCorpus).filter((folder) => !isKnown(folder))).toEqual([])
  })

  it.concurrent.each(rpmCases.filter(({ outcome, mirror = outcome }) => mirror === 'synced'))(
    'mirrors $path, every listed file byte for byte',
    async (corpusCase) => {
      const result = await site.sync(idOf('mirror', corpusCase))
      await site.publish(idOf('mirror', corpusCase))

      expect(result).toMatchObject({ status: 'synced', packages: corpusCase.packages, error: null })
      expect(await readTree(site.published(`repositories/${idOf('mirror', corpusCase)}/latest`))).toEqual(
        await listedFiles(corpusCase),
      )
      expect((await site.sync(idOf('mirror', corpusCase))).status).toBe('unchanged')
    },
  )

  it.concurrent.each(rpmCases.filter(({ outcome }) => outcome === 'synced'))(
    'publishes $path generated, with all that upstream says of each package',
    async (corpusCase) => {
      const result = await site.sync(idOf('filtered', corpusCase))
      const published = await site.publish(idOf('filtered', corpusCase))

      const tree = site.published(`repositories/${idOf('filtered', corpusCase)}/latest`)
      const before = await readRpmTree(join(rpmCorpus, corpusCase.path))
      const after = await readRpmTree(tree)
      expect(result.packages).toBe(corpusCase.packages)
      expect(defects(result)).toEqual(corpusCase.warnings ?? [])
      expect(published.signedBy).toBe((await signingKey()).fingerprint)
      expect(after.packages).toEqual(before.packages.map(asGenerated(await readTree(tree))))
      expect(accompaniment(after)).toEqual(accompaniment(prunedToPackages(before)))
    },
  )

  it.concurrent.each(
    rpmCases.filter(({ outcome, mirror = outcome }) => outcome !== 'synced' || mirror !== 'synced'),
  )('refuses $path, and publishes nothing of it', async (corpusCase) => {
    const { outcome, mirror = outcome } = corpusCase
    await using site = await openSite({ repositories: repositoriesOf(corpusCase, upstream.url), files })
    const results = [await site.trySync(idOf('mirror', corpusCase))]
    if (outcome !== 'synced')
      results.push(
        await site.trySync(idOf('filtered', corpusCase)),
        await site.trySync(idOf('lenient', corpusCase)),
      )

    for (const { status, revision, cause, warnings } of results) {
      expect(defects({ warnings })).toEqual(corpusCase.warnings ?? [])
      expect(cause?.code).toBe(mirror)
      expect(status).toBe(mirror === 'SYNC_INCOMPLETE' ? 'partial' : 'failed')
      expect(revision).toBeNull()
    }
    await expect(site.publish(idOf('mirror', corpusCase))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it.concurrent.each(
    rpmCases.flatMap((corpusCase) => (corpusCase.key ? [{ ...corpusCase, key: corpusCase.key }] : [])),
  )('verifies $path with its key: $key.outcome', async (corpusCase) => {
    const { key, outcome, packages } = corpusCase
    await using site = await openSite({ repositories: repositoriesOf(corpusCase, upstream.url), files })
    const verified = await site.trySync(idOf('verified', corpusCase))
    const off = await site.trySync(idOf('off', corpusCase))

    expect(verified.cause?.code ?? 'synced').toBe(key.outcome)
    expect(verified.error?.message ?? '').toContain(key.says ?? '')
    expect(verified.packages).toBe(key.outcome === 'synced' ? packages : 0)
    expect(off.cause?.code ?? 'synced').toBe(outcome)
    expect(off.warnings.map(({ code }) => code)).toEqual(['VERIFICATION_OFF', ...(corpusCase.warnings ?? [])])
  })
})

const idOf = (kind: string, { path }: RpmCase) => `${kind}-${path.replaceAll(/[/_]/g, '-')}`

/** The same upstream in every way that it can be taken. */
function repositoriesOf(corpusCase: RpmCase, upstream: URL) {
  const { path, key } = corpusCase
  const base = { type: 'rpm', feed: new URL(`${path}/`, upstream).href }
  const keys = key && [resolve(rpmCorpus, path, key.file)]
  const id = (kind: string) => idOf(kind, corpusCase)
  return [
    { id: id('mirror'), ...base, mode: 'mirror' },
    { id: id('filtered'), ...base, mode: 'filtered', signing: { key_file: 'key.asc' } },
    { id: id('lenient'), ...base, mode: 'filtered', on_missing: 'skip' },
    ...(keys ? [{ id: id('verified'), ...base, verify: { keys, packages: 'off' } }] : []),
    ...(keys ? [{ id: id('off'), ...base, verify: { keys, metadata: 'off', packages: 'off' } }] : []),
  ]
}

function defects({ warnings }: Pick<SyncResult, 'warnings'>): readonly string[] {
  return warnings.map(({ code }) => code).filter((code) => code !== 'VERIFICATION_OFF')
}

/** What a mirror has to hold: SHA-256 by path. Whatever else lies in the folder is listed by nothing. */
async function listedFiles({ path, unlisted = [] }: RpmCase): Promise<ReadonlyMap<string, string>> {
  const all = await readTree(join(rpmCorpus, path))
  const isListed = (name: string) =>
    (name.startsWith('repodata/') || name.endsWith('rpm')) && !unlisted.includes(name)
  return new Map([...all].filter(([name]) => isListed(name)))
}

/** A package as it is to be described: as upstream does, but for what must differ. */
function asGenerated(digests: ReadonlyMap<string, string>) {
  return (described: DescribedPackage): DescribedPackage => {
    const { primary } = described
    const hex = digests.get(primary.href) ?? ''
    const isWeak = primary.checksum.algorithm === 'sha1'
    return {
      ...described,
      primary: {
        ...primary,
        xmlBase: null,
        ...(isWeak && { checksum: { algorithm: 'sha256', hex }, pkgid: hex }),
      },
    }
  }
}

/** What comes along with the packages. Records are known by type: the rest of them is of the file, which was checked. */
function accompaniment({ repomd, comps, modules, advisories }: RpmTree) {
  return {
    types: repomd.records.map(({ type }) => type).sort(),
    tags: repomd.tags,
    comps,
    modules: modules.map(({ text }) => text),
    advisories,
  }
}

/** Upstreams name packages that they do not have, and their tools make copies for other tools. */
function prunedToPackages(tree: RpmTree): RpmTree {
  const { repomd, packages, comps } = tree
  const names = new Set(packages.map(({ primary }) => primary.nevra.name))
  const nevras = new Set(packages.map(({ nevra }) => nevra))
  const groups = comps?.groups.map((group) => ({
    ...group,
    packages: group.packages.filter(({ name }) => names.has(name)),
  }))
  const advisories = tree.advisories.flatMap((advisory) => {
    const collections = advisory.collections
      .map((collection) => ({
        ...collection,
        packages: collection.packages.filter((pkg) => nevras.has(formatNevra(pkg))),
      }))
      .filter((collection) => collection.packages.length > 0)
    const hadNone = advisory.collections.length === 0
    return hadNone || collections.length > 0 ? [{ ...advisory, collections }] : []
  })
  const modules = prunedModules(tree.modules, nevras)
  const isKept = ({ type }: { readonly type: string }) =>
    !/_(db|zck|gz)$|delta/.test(type) &&
    (type !== 'updateinfo' || advisories.length > 0) &&
    (type !== 'modules' || modules.some(({ kind }) => kind === 'stream'))
  return {
    ...tree,
    repomd: { ...repomd, records: repomd.records.filter(isKept) },
    comps: comps && { ...comps, groups: groups ?? [] },
    modules,
    advisories,
  }
}

/** A stream that had packages and has none goes, with what is said of it; of the others, the lines of packages that are not there. */
function prunedModules(
  documents: readonly ModuleDocument[],
  nevras: ReadonlySet<string>,
): readonly ModuleDocument[] {
  const streams = documents.filter((document) => document.kind === 'stream')
  const staying = streams.filter(
    ({ artifacts }) => artifacts.length === 0 || artifacts.some((artifact) => nevras.has(artifact)),
  )
  const isGone = (module: string, stream: string | null) => {
    const of = (list: typeof streams) =>
      list.some((one) => one.name === module && (stream === null || one.stream === stream))
    return of(streams) && !of(staying)
  }
  return documents
    .filter((document) => {
      if (document.kind === 'stream') return staying.includes(document)
      if (document.kind === 'defaults') return !isGone(document.module, null)
      return 'module' in document ? !isGone(document.module, document.stream) : true
    })
    .map((document) => ({ ...document, text: withoutArtifacts(document.text, nevras) }))
}

function withoutArtifacts(text: string, nevras: ReadonlySet<string>): string {
  const isArtifact = /^ +- (\S+-\d+:\S+\.\S+)$/
  return text
    .split('\n')
    .filter((line) => {
      const artifact = isArtifact.exec(line)?.[1]
      return artifact === undefined || nevras.has(withEpoch(artifact))
    })
    .join('\n')
}
