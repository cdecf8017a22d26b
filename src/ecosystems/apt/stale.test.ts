import { describe, expect, it } from 'vitest'
import { aptModes, openAptSite } from '../../../tests/support/apt-site.ts'
import {
  type AptFiles,
  aptDates,
  aptFiles,
  aptKeyFile,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { startGate } from '../../../tests/upstream/gate.ts'
import type { Json } from '../../core/brand.ts'
import type { RepositoryId } from '../../core/model.ts'

const day = 24 * 60 * 60 * 1000
const v1 = aptFiles('v1')
const v2 = aptFiles('v2')
const id = 'debs' as RepositoryId
type Terms = Readonly<Record<string, unknown>>

const repository = (terms: Terms, apt: Terms = {}) => ({
  id,
  type: 'apt',
  mode: 'mirror',
  apt: { suites: ['stable'], ...apt },
  verify: { keys: [aptKeyFile('archive')] },
  ...terms,
})

const openWith = (terms: Terms): Promise<Site> =>
  openSite({ repositories: [repository(terms)], now: () => new Date(aptDates.v2.getTime() + day) })

/** The first state, released some days later. */
const laterBy = (days: number): Promise<AptFiles> => {
  const date = new Date(aptDates.v1.getTime() + days * day)
  return changeApt(v1, { release: (text) => text.replace(/^Date: .*/m, `Date: ${date.toUTCString()}`) })
}

describe('a state of an APT upstream that is shown again', () => {
  it.each(aptModes)('is refused where it is older than the last: %s', async (mode) => {
    await using upstream = await startAptUpstream(aptFiles('v2'))
    await using site = await openAptSite(upstream.url, { now: new Date(aptDates.v2.getTime() + day) })
    await site.sync(mode)

    upstream.show(v1)
    const { cause, revision } = await site.trySync(mode)

    expect(cause).toMatchObject({ code: 'UPSTREAM_STALE' })
    expect(cause?.hint).toContain('apt.check_date: false')
    expect(revision).toBe(1)
  })

  it('is taken where that was asked for', async () => {
    await using upstream = await startAptUpstream(aptFiles('v2'))
    const options = { check_date: false }
    await using site = await openAptSite(upstream.url, {
      options,
      now: new Date(aptDates.v2.getTime() + day),
    })
    await site.sync('mirror')

    upstream.show(v1)

    expect(await site.sync('mirror')).toMatchObject({ status: 'synced', revision: 2 })
  })

  it('grows too old while nothing changes', async () => {
    let now = aptDates.v1
    await using upstream = await startAptUpstream()
    await using site = await openSite({
      repositories: [
        { id: 'updates', type: 'apt', feed: upstream.url.href, apt: { suites: ['stable-updates'] } },
      ],
      now: () => now,
    })
    await site.sync('updates')

    now = new Date(now.getTime() + day)
    const soon = await site.sync('updates')
    now = new Date(now.getTime() + 7 * day)
    const late = await site.trySync('updates')

    expect(soon.status).toBe('unchanged')
    expect(late.cause).toMatchObject({ code: 'UPSTREAM_STALE' })
  })
})

describe('what was seen of an APT upstream', () => {
  it.each<[string, { readonly force?: boolean; readonly terms?: Terms; readonly apt?: Terms }]>([
    ['where a sync is forced', { force: true }],
    ['where other parts of it are wanted', { apt: { sources: true } }],
    [
      'where filters are new',
      { terms: { mode: 'filtered', filters: { patterns: { exclude: ['greeter'] } } } },
    ],
    ['where suites are added', { apt: { suites: ['stable', 'stable-updates'], check_valid_until: false } }],
  ])('counts %s', async (_, { force = false, terms = {}, apt = {} }) => {
    await using upstream = await startAptUpstream(v2)
    await using site = await openWith({ feed: upstream.url.href })
    await site.sync(id)
    await site.reopen({ repositories: [repository({ feed: upstream.url.href, ...terms }, apt)] })

    upstream.show(v1)
    const { cause, revision } = await site.trySync(id, { force })

    expect(cause).toMatchObject({ code: 'UPSTREAM_STALE' })
    expect(revision).toBe(1)
  })

  it('counts where packages are missing, and after syncs that found nothing new', async () => {
    await using upstream = await startAptUpstream(v2)
    for (const name of Object.keys(v2)) if (name.includes('greeter_1.1-1')) upstream.remove(name)
    await using site = await openWith({ feed: upstream.url.href, on_missing: 'skip' })
    const first = await site.sync(id)
    const second = await site.sync(id)

    upstream.show(v1)
    const { cause } = await site.trySync(id)

    expect(first.missing).not.toEqual([])
    expect(second.status).toBe('unchanged')
    expect(cause).toMatchObject({ code: 'UPSTREAM_STALE' })
  })

  it('counts for a suite that was left out for a while', async () => {
    await using upstream = await startAptUpstream(v2)
    const withSuite = (suite: string) =>
      site.reopen({
        repositories: [
          repository({ feed: upstream.url.href }, { suites: [suite], check_valid_until: false }),
        ],
      })
    await using site = await openWith({ feed: upstream.url.href })
    await site.sync(id)
    await withSuite('stable-updates')
    await site.sync(id)
    await withSuite('stable')

    upstream.show(v1)
    const { cause } = await site.trySync(id)

    expect(cause).toMatchObject({ code: 'UPSTREAM_STALE' })
  })

  it.each([
    ['older than the last', () => laterBy(0)],
    ['the last, and older than the first answer', () => laterBy(7)],
  ])('counts where a round robin answers with a state that is %s', async (_, next) => {
    const shown = await next()
    await using upstream = await startAptUpstream(await laterBy(7))
    let isNext = false
    await using gate = await startGate(upstream.url.href.replace(/\/$/, ''), async (path) => {
      // Packages of the newest state are not where this one is.
      if (isNext && path.startsWith('/pool/')) upstream.show(shown)
    })
    await using site = await openWith({ feed: `${gate.url}/` })
    const { packages } = await site.sync(id)
    upstream.show(v2)
    isNext = true

    const result = await site.trySync(id)

    expect(result.cause).toMatchObject({ code: 'UPSTREAM_STALE' })
    expect(result).toMatchObject({ status: 'failed', revision: 1, packages })
  })

  it('counts where a mirror of it is added or has another token, and not for another upstream', async () => {
    await using upstream = await startAptUpstream(v2)
    await using other = await startAptUpstream(v1)
    await using site = await openWith({ feed: `${upstream.url}?token=one` })
    await site.sync(id)
    upstream.show(v1)
    const syncWith = async (terms: Terms) => {
      await site.reopen({ repositories: [repository(terms)] })
      return await site.trySync(id)
    }

    const more = await syncWith({ feeds: [`${other.url}`, `${upstream.url}?token=two`] })
    const another = await syncWith({ feed: `${other.url}` })

    expect(more.cause).toMatchObject({ code: 'UPSTREAM_STALE' })
    expect(another).toMatchObject({ status: 'synced', revision: 2 })
  })

  it('is what was taken last, where any state was to be taken', async () => {
    await using upstream = await startAptUpstream(v2)
    const feed = upstream.url.href
    await using site = await openWith({ feed })
    await site.sync(id)
    await site.reopen({ repositories: [repository({ feed }, { check_date: false })] })
    upstream.show(v1)
    await site.sync(id)
    await site.reopen({ repositories: [repository({ feed })] })

    expect(await site.sync(id)).toMatchObject({ status: 'unchanged', revision: 2 })
  })

  it('is found in the note of a program that noted it with the rest', async () => {
    await using upstream = await startAptUpstream(v2)
    await using site = await openWith({ feed: upstream.url.href })
    await site.sync(id)
    await forgetAllBut(site, 'fingerprint', 'documents', 'ecosystem')
    const unchanged = await site.sync(id)

    upstream.show(v1)
    const { cause } = await site.trySync(id, { force: true })

    expect(unchanged.status).toBe('unchanged')
    expect(cause).toMatchObject({ code: 'UPSTREAM_STALE' })
  })
})

/** Leaves of the checkpoint what these parts say. */
async function forgetAllBut({ context: { catalog } }: Site, ...parts: readonly string[]): Promise<void> {
  const record = await catalog.read((reader) => reader.repository(id))
  const noted = Object.entries((record?.checkpoint ?? {}) as { readonly [part: string]: Json })
  const left = Object.fromEntries(noted.filter(([part]) => parts.includes(part)))
  await catalog.write((writer) => writer.saveCheckpoint(id, left, record?.latest?.number ?? null))
}
