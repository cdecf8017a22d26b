import { describe, expect, it } from 'vitest'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import type { UpstreamFile } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { Ecosystem, ReadRequest, UpstreamListing } from '../../ecosystems/ecosystem.ts'
import { rpm } from '../../ecosystems/rpm/rpm.ts'
import { configuredRepository } from '../configured.ts'
import { syncRepository } from './sync-repository.ts'
import type { SyncResult } from './sync-result.ts'

const signal = new AbortController().signal
const extra = parseRelativePath('repodata/extra.txt')
const legacy = 'Packages/demo-legacy-1.0-1.noarch.rpm'

const openDemo = (upstream: Upstream, more: Readonly<Record<string, unknown>> = {}) =>
  openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, ...more }] })

/** Syncs with RPM's ecosystem, what it reads changed on the way. */
function syncAs(site: Site, readUpstream: Ecosystem['readUpstream']): Promise<SyncResult> {
  const ecosystems = new Map([[rpm.id, { ...rpm, readUpstream } as Ecosystem]])
  const settings = configuredRepository(site.context.settings, 'demo')
  return syncRepository({ ...site.context, ecosystems }, { settings, force: true, dryRun: false }, signal)
}

const readRpm: Ecosystem['readUpstream'] = (request) => (rpm as Ecosystem).readUpstream(request)

/** RPM's reading, with further files beside packages. */
function readingWith(...more: readonly UpstreamFile[]): Ecosystem['readUpstream'] {
  return async (request) => {
    const listing = await readRpm(request)
    if (listing.status === 'unchanged') return listing
    async function* files() {
      if (listing.status === 'changed') yield* listing.files()
      yield* more
    }
    return { ...listing, files }
  }
}

/** RPM's reading, with a second file for each package. */
function readingTwoFiles(second: UpstreamFile): Ecosystem['readUpstream'] {
  return async (request): Promise<UpstreamListing> => {
    const listing = await readRpm(request)
    if (listing.status === 'unchanged') return listing
    const { packages } = listing
    async function* withSecond() {
      for await (const pkg of packages) {
        if ('isUnchanged' in pkg) throw new Error(`not read: ${pkg.key}`)
        const { key, name, version, architecture, builtAt, attributes, identity, versionGroup } = pkg
        const facts = { key, name, version, architecture, builtAt, attributes, identity, versionGroup }
        yield { ...facts, files: [pkg.files[0], second] as const }
      }
    }
    return { ...listing, packages: withSecond() }
  }
}

const optional = (more: Partial<UpstreamFile['expect']> = {}): UpstreamFile => ({
  path: extra,
  location: extra,
  expect: { checksums: [], maxSize: 1000, ...more },
  isOptional: true,
})

const heldPaths = (site: Site) =>
  site.context.catalog.read(async (reader) => {
    const latest = (await reader.repositories())[0]?.latest
    return latest ? (await reader.files(latest)).map(({ path }) => path) : []
  })

describe('an optional file', () => {
  it.each([404, 410, 403])(
    'that upstream answers %i for is left out, and nothing is missing',
    async (status) => {
      await using upstream = await startDemoUpstream()
      upstream.behave(extra, { kind: 'status', status })
      await using site = await openDemo(upstream)

      const result = await syncAs(site, readingWith(optional()))

      expect(result).toMatchObject({ status: 'synced', packages: 6, missing: [], error: null })
      expect(result.warnings.map(({ code }) => code)).toEqual(['VERIFICATION_OFF'])
      expect(site.events.map(({ type }) => type)).not.toContain('download.failed')
      expect(await heldPaths(site)).not.toContain(extra)
      expect((await site.sync('demo')).status).toBe('unchanged')
    },
  )

  it('that upstream has is held as any other', async () => {
    await using upstream = await startDemoUpstream()
    upstream.put(extra, 'here')
    await using site = await openDemo(upstream)

    const result = await syncAs(site, readingWith(optional()))

    expect(result).toMatchObject({ status: 'synced', missing: [] })
    expect(await heldPaths(site)).toContain(extra)
  })

  it('with wrong bytes fails the sync', async () => {
    await using upstream = await startDemoUpstream()
    upstream.put(extra, 'here')
    await using site = await openDemo(upstream, { on_missing: 'skip' })

    const result = await syncAs(
      site,
      readingWith(optional({ checksums: [{ algorithm: 'sha256', hex: '0'.repeat(64) }] })),
    )

    expect(result).toMatchObject({ status: 'failed', revision: null, error: { code: 'CHECKSUM_MISMATCH' } })
  })

  it('behind a broken server fails the sync', async () => {
    await using upstream = await startDemoUpstream()
    upstream.behave(extra, { kind: 'status', status: 401 })
    await using site = await openDemo(upstream)

    const result = await syncAs(site, readingWith(optional()))

    expect(result).toMatchObject({ status: 'failed', error: { code: 'UPSTREAM_REFUSED' } })
  })

  it('of a package is left out, and the package stays', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream)

    const result = await syncAs(site, readingTwoFiles(optional()))

    expect(result).toMatchObject({ status: 'synced', packages: 6, missing: [] })
    const [found] = await site.context.catalog.read((reader) =>
      reader.searchPackages({ pattern: 'demo-legacy' }, 1),
    )
    expect(found?.package.files.map(({ path }) => path)).toEqual([legacy])
  })

  it('does not hide a file that has to be there', async () => {
    await using upstream = await startDemoUpstream()
    upstream.remove(legacy)
    await using site = await openDemo(upstream)

    const result = await syncAs(site, readingWith(optional()))

    expect(result).toMatchObject({ status: 'partial', missing: [{ path: legacy }] })
  })
})

describe('a reader', () => {
  const filters = { rpm: { exclude_source_rpms: true } }
  const readFilters = async (more: Readonly<Record<string, unknown>>) => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream, more)
    const requests: ReadRequest[] = []
    await syncAs(site, (request) => {
      requests.push(request)
      return readRpm(request)
    })
    return requests.map((request) => request.filters)
  }

  it('gets the filters of its ecosystem', async () => {
    expect(await readFilters({ mode: 'filtered', filters })).toEqual([{ exclude_source_rpms: true }])
  })

  it('gets none where there are none', async () => {
    expect(await readFilters({ mode: 'filtered' })).toEqual([null])
  })

  it('gets none for a mirror', async () => {
    expect(await readFilters({ mode: 'mirror' })).toEqual([null])
  })
})
