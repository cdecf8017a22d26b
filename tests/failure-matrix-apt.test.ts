import { describe, expect, it } from 'vitest'
import type { SyncResult } from '../src/app/sync/sync-result.ts'
import { readAptTree } from './support/apt-tree.ts'
import {
  type AptUpstream,
  aptFiles,
  aptKeyFile,
  changeApt,
  startAptUpstream,
} from './support/apt-upstream.ts'
import { openSite, readTree, type Site, signingKey } from './support/site.ts'
import { type Behaviour, startUpstream, type UpstreamOptions } from './upstream/upstream.ts'

const inRelease = 'dists/stable/InRelease'
const folder = 'dists/stable/main/binary-amd64'
const extra = 'pool/main/g/greeter-extra/greeter-extra_1.0_amd64.deb'
const latest = 'repositories/apt/latest'

const quick = { download: { retries: 1 }, limits: { root_document: '1MiB', decompressed_minimum: '1MiB' } }
/** For an upstream that stands still. Only then: a machine may be busy for so long. */
const impatient = { ...quick, download: { retries: 0, timeout: '200ms', stall_timeout: '200ms' } }

type Outcome = 'synced' | readonly [code: string, exit: number]

const synced = 'synced'
const unreachable: Outcome = ['UPSTREAM_UNREACHABLE', 20]
const refused: Outcome = ['UPSTREAM_REFUSED', 21]
const invalid: Outcome = ['UPSTREAM_INVALID', 22]
const mismatch: Outcome = ['CHECKSUM_MISMATCH', 30]
const tooLong: Outcome = ['SIZE_LIMIT', 31]
const missing: Outcome = ['SIGNATURE_MISSING', 32]
const incomplete: Outcome = ['SYNC_INCOMPLETE', 50]

/** What becomes of a run if upstream does this with InRelease, with the index of packages in every form, and with a package; `null` is like the others. */
const matrix: readonly (readonly [
  title: string,
  behaviour: Behaviour,
  outcomes: readonly [root: Outcome | null, index: Outcome, package_: Outcome],
])[] = [
  ['404', { kind: 'status', status: 404 }, [null, invalid, incomplete]],
  ['403', { kind: 'status', status: 403 }, [null, invalid, refused]],
  ['500 for ever', { kind: 'status', status: 500 }, [unreachable, unreachable, unreachable]],
  ['500, then the file', { kind: 'status', status: 500, times: 1 }, [synced, synced, synced]],
  ['an HTML page with status 200', { kind: 'page' }, [missing, mismatch, mismatch]],
  ['a truncated file', { kind: 'truncated', after: 100 }, [unreachable, unreachable, unreachable]],
  ['a stall', { kind: 'stalled', after: 100 }, [unreachable, unreachable, unreachable]],
  ['no end', { kind: 'endless' }, [tooLong, mismatch, mismatch]],
]

const cases = matrix.flatMap(([title, behaviour, [ofRoot, ofIndex, ofPackage]]) =>
  [
    { title: `${title} for InRelease`, isAt: (path: string) => path === inRelease, outcome: ofRoot },
    { title: `${title} for an index`, isAt: isIndex, outcome: ofIndex },
    { title: `${title} for a package`, isAt: (path: string) => path === extra, outcome: ofPackage },
  ].flatMap(({ outcome, ...row }) => (outcome === null ? [] : [{ ...row, behaviour, outcome }])),
)

function isIndex(path: string): boolean {
  return path.startsWith(`${folder}/`)
}

describe.each(['mirror', 'filtered'])('an APT upstream that misbehaves: %s', (mode) => {
  it.each(cases)('is reported and does no harm: $title', async ({ isAt, behaviour, outcome }) => {
    await using upstream = await startAptUpstream()
    await using site = await publishedSite(upstream, { mode })
    const before = await readTree(site.published(latest))
    const files = aptFiles('v2')
    upstream.show(files)
    const paths = Object.keys(files).filter(isAt)
    for (const path of paths) upstream.behave(path, behaviour)
    if (behaviour.kind === 'stalled') await site.reopen({ sections: { ...impatient, ...signing } })

    const result = await site.trySync('apt')

    expectOutcome(result, outcome)
    expect(result.revision).toBe(outcome === synced ? 2 : 1)
    expect(await readTree(site.published(latest))).toEqual(before)
    for (const path of paths) upstream.behave(path)
    if (behaviour.kind === 'stalled') await site.reopen({ sections: { ...quick, ...signing } })
    expect(await site.sync('apt')).toMatchObject({
      status: outcome === synced ? 'unchanged' : 'synced',
      revision: 2,
    })
    await site.publish('apt')
    expect((await readAptTree(site.published(latest), 'stable')).trouble).toEqual([])
  })

  it('with a bomb for an index is not unpacked, whatever its Release file says', async () => {
    await using upstream = await startAptUpstream()
    await using site = await publishedSite(upstream, { mode })
    const blanks = (text: string) => `${text}X: ${'0'.repeat(64 * 1024 ** 2)}\n`
    const release = (text: string) => text.replace(/^ .* main\/binary-amd64\/Packages\n/m, '')
    const name = 'main/binary-amd64/Packages'
    upstream.show(await changeApt(aptFiles('v2'), { indexes: { [name]: blanks }, release }))

    const result = await site.trySync('apt')

    expectOutcome(result, tooLong)
    expect(result.revision).toBe(1)
  })
})

describe('credentials for an APT upstream', () => {
  const auth = { type: 'basic', username: 'mirror', password: 'open sesame' }
  const authorization = { kind: 'basic', username: 'mirror', password: 'open sesame' } as const

  it('are not shown to a host that a redirect leads to', async () => {
    await using other = await startUpstream({ files: aptFiles('v1') })
    await using upstream = await startAptUpstream(aptFiles('v1'), { authorization })
    const moved = [inRelease, 'pool/main/a/apt/apt_1.0_amd64.deb']
    for (const path of moved) upstream.behave(path, { kind: 'redirect', to: new URL(path, other.url) })
    await using site = await openAptSite(upstream, { auth })

    const result = await site.sync('apt')

    expect(result.status).toBe('synced')
    expect([...new Set(other.requests.map(({ path }) => path))].sort()).toEqual(moved)
    expect(other.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })

  it('that are wrong are reported without being shown', async () => {
    const options: UpstreamOptions = { authorization }
    await using upstream = await startAptUpstream(aptFiles('v1'), options)
    await using site = await openAptSite(upstream, { auth: { ...auth, password: 'open barley' } })

    const result = await site.trySync('apt')

    expectOutcome(result, refused)
    expect(result.error?.hint).toContain('auth')
    expect(JSON.stringify([result.error, site.events])).not.toContain('barley')
  })
})

const signing = { signing: { key_file: 'key.asc' } }

async function openAptSite(upstream: AptUpstream, more: object = {}): Promise<Site> {
  const { privateKey } = await signingKey()
  return openSite({
    repositories: [
      {
        ...{ id: 'apt', type: 'apt', feed: upstream.url.href, apt: { suites: ['stable'], sources: true } },
        ...{ verify: { keys: [aptKeyFile('archive')] }, ...more },
      },
    ],
    sections: { ...quick, ...signing },
    files: { 'key.asc': privateKey },
    wait: async (_ms, signal) => signal.throwIfAborted(),
  })
}

/** The first state is synced and published. */
async function publishedSite(upstream: AptUpstream, more: object): Promise<Site> {
  const site = await openAptSite(upstream, more)
  await site.sync('apt')
  await site.publish('apt')
  return site
}

function expectOutcome(result: SyncResult, outcome: Outcome): void {
  if (outcome === 'synced') {
    expect(result).toMatchObject({ status: 'synced', error: null })
    return
  }
  const [code, exit] = outcome
  expect(result.error).toMatchObject({ code })
  expect(result.cause?.traits.exit).toBe(exit)
}
