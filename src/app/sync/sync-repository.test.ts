import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { demoFiles, showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { editPrimary } from '../../../tests/support/edited-demo.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import { configuredRepository } from '../configured.ts'
import { syncRepository } from './sync-repository.ts'

const signal = new AbortController().signal
const repomd = 'repodata/repomd.xml'
const legacy = 'Packages/demo-legacy-1.0-1.noarch.rpm'
const updateinfo = Object.keys(demoFiles('v1')).find((name) => name.endsWith('updateinfo.xml.gz')) ?? ''

const openDemo = (upstream: Upstream, more: Readonly<Record<string, unknown>> = {}) =>
  openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, ...more }] })

const sha256 = (bytes: string | Uint8Array) => hash('sha256', bytes, 'hex')

const packagesAskedFor = (upstream: Upstream) =>
  upstream.requests.map(({ path }) => path).filter((path) => path.endsWith('.rpm'))

const history = (site: Site) => site.context.catalog.read((reader) => reader.syncs(null, 10))

describe('a sync', () => {
  it('counts what came, went and was fetched, and history keeps it', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream)
    await site.sync('demo')
    showDemo(upstream, 'v2')

    const result = await site.sync('demo')

    expect(result).toMatchObject({
      status: 'synced',
      revision: 2,
      packages: 6,
      added: 2,
      removed: 2,
      replaced: 0,
    })
    expect(result.warnings.map(({ code }) => code)).toEqual(['VERIFICATION_OFF'])
    const [row, first] = await history(site)
    expect(row).toMatchObject({ status: 'synced', revision: 2, added: 2, removed: 2, error: null })
    expect(row?.fetchedFiles).toBe(result.fetchedFiles)
    expect(row?.warnings).toEqual(result.warnings)
    expect(first).toMatchObject({ status: 'synced', revision: 1, added: 6, removed: 0 })
  })

  it.each([
    ['mirror', [repomd, `${repomd}.asc`]],
    ['filtered', [repomd]],
  ])(
    'costs an unchanged upstream a conditional request for each document that may be new: %s',
    async (mode, asked) => {
      await using upstream = await startDemoUpstream()
      await using site = await openDemo(upstream, { mode })
      await site.sync('demo')
      upstream.forgetRequests()

      const result = await site.sync('demo')

      expect(result).toMatchObject({ status: 'unchanged', revision: 1, packages: 6, fetchedFiles: 0 })
      expect(upstream.requests.map(({ path, status }) => [path, status])).toEqual(
        asked.map((path) => [path, 304]),
      )
      expect((await history(site))[0]).toMatchObject({ status: 'unchanged', revision: 1 })
    },
  )

  it('notices that upstream has signed anew what it has, where it is mirrored with its signature', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream, { mode: 'mirror' })
    await site.sync('demo')
    await site.publish('demo')
    const signature = `${Buffer.from(demoFiles('v1')[`${repomd}.asc`] ?? '')}\n`
    upstream.put(`${repomd}.asc`, signature)

    expect(await site.sync('demo')).toMatchObject({ status: 'synced', revision: 2, added: 0, removed: 0 })
    await site.publish('demo')

    const file = join(site.published('repositories/demo/latest'), `${repomd}.asc`)
    expect(await readFile(file, 'utf8')).toBe(signature)
    expect((await site.sync('demo')).status).toBe('unchanged')
  })

  it('asks once for all where an earlier program did not note who answered', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream, { mode: 'filtered' })
    await site.sync('demo')
    await site.context.catalog.write(async (writer) => {
      const [record] = await writer.repositories()
      const text = JSON.stringify(record?.checkpoint).replaceAll(/"origin":"\w+",/g, '')
      if (record) await writer.saveCheckpoint(record.id, JSON.parse(text), record.latest?.number ?? null)
    })
    upstream.forgetRequests()

    const results = [await site.sync('demo'), await site.sync('demo')]

    expect(results.map(({ status }) => status)).toEqual(['unchanged', 'unchanged'])
    expect(upstream.requests.map(({ path, status }) => [path, status])).toEqual([
      [repomd, 200],
      [repomd, 304],
    ])
  })

  it('finds what is new at another feed that says the same time of it, and notes no token of either', async () => {
    await using upstream = await startDemoUpstream({ etags: 'none' })
    await using other = await startDemoUpstream({ etags: 'none' })
    showDemo(other, 'v2')
    const feedOf = ({ url }: Upstream) => `${url}?token=s3cret`
    await using site = await openDemo(upstream, { feed: feedOf(upstream) })
    await site.sync('demo')
    await site.reopen({ repositories: [{ id: 'demo', type: 'rpm', feed: feedOf(other) }] })

    const result = await site.sync('demo')

    expect(result).toMatchObject({ status: 'synced', revision: 2, added: 2 })
    const [record] = await site.context.catalog.read((reader) => reader.repositories())
    expect(JSON.stringify(record?.checkpoint)).not.toMatch(/s3cret|127\.0\.0\.1/)
  })

  it('reads upstream anew where it is forced, and makes no revision of equal content', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream)
    await site.sync('demo')
    upstream.forgetRequests()

    const result = await site.sync('demo', { force: true })

    expect(result).toMatchObject({ status: 'unchanged', revision: 1 })
    expect(upstream.requestsFor(repomd)[0]?.status).toBe(200)
    expect(upstream.requestsFor(legacy)).toEqual([])
  })

  it('of a dry run says what it would do, and leaves history and revision alone', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream)
    await site.sync('demo')
    showDemo(upstream, 'v2')
    const settings = configuredRepository(site.context.settings, 'demo')

    const result = await syncRepository(site.context, { settings, force: false, dryRun: true }, signal)

    expect(result).toMatchObject({ status: 'planned', revision: 1, added: 2, removed: 2 })
    expect(result.plan?.plan.added.map(({ name }) => name).sort()).toEqual(['demo-extra', 'demo-server'])
    expect(result.plan?.files).toBeGreaterThanOrEqual(2)
    expect(await history(site)).toHaveLength(1)
    expect((await site.sync('demo')).status).toBe('synced')
  })

  it('asks again where the settings have changed, though upstream has not', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream)
    await site.sync('demo')
    await site.reopen({
      repositories: [
        { id: 'demo', type: 'rpm', feed: upstream.url, filters: { patterns: { exclude: ['legacy'] } } },
      ],
    })

    const result = await site.sync('demo')

    expect(result).toMatchObject({ status: 'synced', revision: 2, packages: 5, removed: 1 })
    expect((await site.sync('demo')).status).toBe('unchanged')
  })

  it('lets a filter by age go on counting while upstream stands still', async () => {
    let now = new Date('2026-01-10T00:00:00Z')
    await using upstream = await startDemoUpstream()
    const filters = { metadata: { build_time: { last_n_days: 30 } } }
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, filters }],
      now: () => now,
    })
    const before = await site.sync('demo')
    now = new Date('2027-01-10T00:00:00Z')

    const after = await site.sync('demo')

    expect(before.packages).toBe(6)
    expect(after).toMatchObject({ status: 'synced', packages: 0, removed: 6 })
    expect(site.warnings('NOTHING_SELECTED')).toEqual([
      'the filters do not keep any of the 6 packages that upstream lists',
    ])
  })

  it('fetches again what was set aside in the pool, wherever it is wanted next', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: ['demo', 'other'].map((id) => ({ id, type: 'rpm', feed: upstream.url })),
    })
    await site.sync('demo')
    const { catalog, pool } = site.context
    const [found] = await catalog.read((reader) => reader.searchPackages({ pattern: 'demo-legacy' }, 1))
    const digest = found?.package.files[0].digest
    if (digest) await pool.quarantine(digest)
    upstream.forgetRequests()

    await site.sync('other')

    expect(packagesAskedFor(upstream)).toEqual([legacy])
    expect(digest && (await pool.check(digest)).state).toBe('sound')
  })

  it('that is interrupted keeps what it got, and says so', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream)
    upstream.behave(legacy, { kind: 'silent' })
    const interruption = new AbortController()
    const running = site.trySync('demo', {}, interruption.signal).catch((error: unknown) => error)
    while (upstream.requestsFor(legacy).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    while (upstream.requests.filter(({ path, status }) => path.endsWith('.rpm') && status === 200).length < 5)
      await new Promise((resolve) => setTimeout(resolve, 10))
    await new Promise((resolve) => setTimeout(resolve, 100))

    interruption.abort(new Error('enough'))
    const outcome = await running
    upstream.behave(legacy)
    upstream.forgetRequests()
    const next = await site.sync('demo')

    expect(outcome).toMatchObject({ message: 'enough' })
    expect(next).toMatchObject({ status: 'synced', packages: 6 })
    expect(packagesAskedFor(upstream)).toEqual([legacy])
  })
})

describe('a package that upstream lists and has not', () => {
  it('makes a sync partial, and the next one heals it', async () => {
    await using upstream = await startDemoUpstream()
    upstream.remove(legacy)
    await using site = await openDemo(upstream)

    const result = await site.trySync('demo')

    expect(result).toMatchObject({ status: 'partial', revision: null, error: { code: 'SYNC_INCOMPLETE' } })
    expect(result.error?.details['missing']).toEqual([legacy])
    expect((await history(site))[0]).toMatchObject({
      status: 'partial',
      error: { code: 'SYNC_INCOMPLETE' },
      added: 0,
    })
    upstream.put(legacy, demoFiles('v1')[legacy] ?? '')
    upstream.forgetRequests()
    expect(await site.sync('demo')).toMatchObject({ status: 'synced', packages: 6 })
    expect(packagesAskedFor(upstream)).toEqual([legacy])
  })

  it('is left out where it may be, named, and fetched as soon as it is there', async () => {
    await using upstream = await startDemoUpstream()
    upstream.remove(legacy)
    await using site = await openDemo(upstream, { on_missing: 'skip' })

    const first = await site.sync('demo')
    const second = await site.sync('demo')
    upstream.put(legacy, demoFiles('v1')[legacy] ?? '')
    const third = await site.sync('demo')

    expect(first).toMatchObject({ status: 'synced', packages: 5, missing: [{ path: legacy }] })
    expect(first.warnings.map(({ code }) => code)).toContain('PACKAGE_MISSING')
    expect(second).toMatchObject({ status: 'unchanged', packages: 5, missing: [{ path: legacy }] })
    expect(third).toMatchObject({ status: 'synced', revision: 2, packages: 6, missing: [] })
    expect((await site.sync('demo')).status).toBe('unchanged')
    const rows = await history(site)
    expect(rows.map(({ missing }) => missing.length)).toEqual([0, 0, 1, 1])
    expect(rows.map(({ added }) => added)).toEqual([0, 1, 0, 5])
  })

  it('has not come, and what it was to replace has gone: once, and not with every sync', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openDemo(upstream, { on_missing: 'skip', mode: 'filtered' })
    await site.sync('demo')
    const files = { ...demoFiles('v1') }
    editPrimary(files, (text) => text.replaceAll(sha256(files[legacy] ?? ''), sha256('other bytes')))
    for (const [name, content] of Object.entries(files)) upstream.put(name, content)
    upstream.remove(legacy)

    const first = await site.sync('demo')
    const second = await site.sync('demo')

    expect(first).toMatchObject({ status: 'synced', packages: 5, added: 0, removed: 1, replaced: 0 })
    expect(second).toMatchObject({ status: 'unchanged', packages: 5, added: 0, removed: 0, replaced: 0 })
  })

  it('is no reason to seal an empty repository', async () => {
    await using upstream = await startDemoUpstream()
    for (const name of Object.keys(demoFiles('v1'))) if (name.endsWith('.rpm')) upstream.remove(name)
    await using site = await openDemo(upstream, { on_missing: 'skip' })

    const result = await site.trySync('demo')

    expect(result).toMatchObject({ status: 'partial', revision: null, error: { code: 'SYNC_INCOMPLETE' } })
    expect(result.error?.message).toContain('none of the packages')
  })

  it.each([
    ['mirror', { status: 'partial', revision: null }],
    ['filtered', { status: 'synced', revision: 1 }],
  ])('is one thing; metadata that is not there is another (%s)', async (mode, expected) => {
    await using upstream = await startDemoUpstream()
    upstream.remove(updateinfo)
    await using site = await openDemo(upstream, { on_missing: 'skip', mode })

    const result = await site.trySync('demo')

    // Clients refuse a tree whose repomd.xml lists what is not in it; a generated one lists what there is.
    expect(result).toMatchObject(expected)
  })
})

describe('packages', () => {
  /** How many the catalog has rows of, by repository, sealed or not. */
  const rowsOf = (site: Site) => {
    using database = new DatabaseSync(join(site.folder, 'data/chantal.db'), { readOnly: true })
    const rows = database
      .prepare(
        'select id, count(package.pk) as count from repository left join package on repository = repository.pk group by id',
      )
      .all()
    return Object.fromEntries(rows.map(({ id, count }) => [String(id), Number(count)]))
  }

  it('are recorded while others are on their way, and forgotten where the sync fails', async () => {
    await using upstream = await startDemoUpstream()
    const seen: unknown[] = []
    const repository = { type: 'rpm', feed: upstream.url }
    await using site = await openSite({
      repositories: [
        { id: 'first', ...repository },
        { id: 'second', ...repository },
      ],
      reached: (moment) => {
        if (moment === 'files fetched') seen.push(rowsOf(site)['second'] ?? 0)
      },
    })
    await site.sync('first')
    showDemo(upstream, 'v2')
    const extra = 'Packages/demo-extra-1.0-1.noarch.rpm'
    const content = demoFiles('v2')[extra] ?? ''
    upstream.remove(extra)

    const failed = await site.trySync('second')
    const left = rowsOf(site)
    upstream.put(extra, content)
    const healed = await site.sync('second')

    expect(failed.status).toBe('partial')
    // Of v2's six packages the pool had four, and one more arrived.
    expect(seen).toEqual([0, 5, 6])
    expect(left).toEqual({ first: 6, second: 0 })
    expect(healed).toMatchObject({ status: 'synced', revision: 1, packages: 6 })
    expect(rowsOf(site)).toEqual({ first: 6, second: 6 })
  })
})
