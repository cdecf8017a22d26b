import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { SyncResult } from '../src/app/sync/sync-result.ts'
import { brokenInvariants } from './crash/invariants.ts'
import { demoFiles, demoKey, showDemo, startDemoUpstream } from './support/demo-upstream.ts'
import { type DemoFiles, editPrimary, editRepomd, replacePrimary } from './support/edited-demo.ts'
import { expiredSignature } from './support/expired-signature.ts'
import { openSite, readTree, type Site, signingKey } from './support/site.ts'
import { type Behaviour, startUpstream, type Upstream } from './upstream/upstream.ts'

const repomd = 'repodata/repomd.xml'
const signature = 'repodata/repomd.xml.asc'
const primary = 'repodata/cab2ff41b89b106404e59ec0395ee6104213e7a118868af4ef6821577c19e794-primary.xml.gz'
const extra = 'Packages/demo-extra-1.0-1.noarch.rpm'
const server = 'Packages/demo-server-1.1-1.noarch.rpm'
const latest = 'repositories/demo/latest'

const quick = {
  download: { retries: 1 },
  limits: { root_document: '1MiB', decompressed_minimum: '1MiB' },
}

/** For an upstream that stands still. Only then: a machine may be busy for so long. */
const impatient = { ...quick, download: { retries: 0, timeout: '200ms', stall_timeout: '200ms' } }

/** What a run comes to: the code it fails with and its exit status, or `synced`. */
type Outcome = 'synced' | readonly [code: string, exit: number]

const synced = 'synced'
const unreachable: Outcome = ['UPSTREAM_UNREACHABLE', 20]
const refused: Outcome = ['UPSTREAM_REFUSED', 21]
const invalid: Outcome = ['UPSTREAM_INVALID', 22]
const mismatch: Outcome = ['CHECKSUM_MISMATCH', 30]
const tooLong: Outcome = ['SIZE_LIMIT', 31]
const badSignature: Outcome = ['SIGNATURE_INVALID', 33]
const incomplete: Outcome = ['SYNC_INCOMPLETE', 50]

const wrongBytes = (path: string): Behaviour => {
  const body = Buffer.from(demoFiles('v2')[path] ?? '')
  body.writeUInt8(body.readUInt8(body.byteLength >> 1) ^ 1, body.byteLength >> 1)
  return { kind: 'content', body }
}
const moreBytes = (path: string): Behaviour => ({
  kind: 'content',
  body: Buffer.concat([demoFiles('v2')[path] ?? Buffer.of(), Buffer.from('more')]),
})

/** What upstream does with one path, and what becomes of a run for repomd.xml, for a metadata file and for a package; `null` is like the others. */
const matrix: readonly (readonly [
  title: string,
  behaviours: (path: string) => readonly Behaviour[],
  outcomes: readonly [repomd: Outcome | null, metadata: Outcome | null, package_: Outcome],
])[] = [
  ['404', () => [{ kind: 'status', status: 404 }], [invalid, invalid, incomplete]],
  ['410', () => [{ kind: 'status', status: 410 }], [null, null, incomplete]],
  ['403', () => [{ kind: 'status', status: 403 }], [refused, refused, refused]],
  [
    '429 with Retry-After, then the file',
    () => [{ kind: 'status', status: 429, headers: { 'retry-after': '7' }, times: 1 }],
    [synced, synced, synced],
  ],
  ['429 for ever', () => [{ kind: 'status', status: 429 }], [null, null, unreachable]],
  ['500, then the file', () => [{ kind: 'status', status: 500, times: 1 }], [synced, synced, synced]],
  ['500 for ever', () => [{ kind: 'status', status: 500 }], [unreachable, unreachable, unreachable]],
  ['an HTML page with status 200', () => [{ kind: 'page' }], [badSignature, mismatch, mismatch]],
  ['a truncated file', () => [{ kind: 'truncated', after: 100 }], [unreachable, unreachable, unreachable]],
  ['a file that breaks off once', () => [{ kind: 'truncated', after: 100, times: 1 }], [null, null, synced]],
  ['a stall', () => [{ kind: 'stalled', after: 100 }], [null, unreachable, unreachable]],
  ['no answer', () => [{ kind: 'silent' }], [unreachable, null, unreachable]],
  ['a slow file', () => [{ kind: 'slow', bytes: 500, pauseMs: 5 }], [null, null, synced]],
  ['wrong bytes', (path) => [wrongBytes(path)], [badSignature, mismatch, mismatch]],
  ['too many bytes', (path) => [moreBytes(path)], [null, mismatch, mismatch]],
  ['no end', () => [{ kind: 'endless' }], [tooLong, mismatch, mismatch]],
]

const rows = matrix.flatMap(([title, behaviours, [ofRepomd, ofMetadata, ofPackage]]) => [
  { title: `${title} for repomd.xml`, path: repomd, behaviours, outcome: ofRepomd },
  { title: `${title} for a metadata file`, path: primary, behaviours, outcome: ofMetadata },
  { title: `${title} for a package`, path: extra, behaviours, outcome: ofPackage },
])
const cases = rows.flatMap(({ outcome, ...row }) => (outcome === null ? [] : [{ ...row, outcome }]))

describe('an upstream that misbehaves', () => {
  it.each(cases)('is reported and does no harm: $title', async ({ path, behaviours, outcome }) => {
    await using upstream = await startDemoUpstream()
    await using site = await publishedSite(upstream)
    const before = await readTree(site.published(latest))
    const behaviour = behaviours(path)
    const isStanding = behaviour.some(({ kind }) => kind === 'stalled' || kind === 'silent')
    upstream.behave(path, ...behaviour)
    if (isStanding) await site.reopen({ sections: impatient })

    const result = await site.trySync('demo')

    expectOutcome(result, outcome)
    await expectHistory(site, result)
    expect(await readTree(site.published(latest))).toEqual(before)
    upstream.behave(path)
    upstream.forgetRequests()
    if (isStanding) await site.reopen({ sections: quick })
    const next = await site.sync('demo')
    expect(next).toMatchObject({
      status: outcome === synced ? 'unchanged' : 'synced',
      revision: 2,
      packages: 6,
    })
    // What could be had stays in the pool: only the rest is fetched.
    const again = upstream.requests
      .map((request) => request.path)
      .filter((name) => name.startsWith('Packages/'))
    if (outcome === synced) expect(again).toEqual([])
    else if (path === extra) expect(again).toEqual([extra])
    else expect(again.sort()).toEqual([extra, server])
    if (path === extra) expect(upstream.requestsFor(primary)).toEqual([])
    await site.publish('demo')
    expect(await brokenInvariants(site)).toEqual([])
  })
})

describe('a signature', () => {
  it.each<[string, (upstream: Upstream) => Promise<void> | void, Outcome]>([
    ['is missing', (upstream) => upstream.remove(signature), ['SIGNATURE_MISSING', 32]],
    [
      'is of other metadata',
      (upstream) => upstream.put(signature, demoFiles('v1')[signature] ?? ''),
      badSignature,
    ],
    ['is empty', (upstream) => upstream.put(signature, ''), ['SIGNATURE_MISSING', 32]],
    ['is no signature', (upstream) => upstream.put(signature, 'signed, honestly'), badSignature],
    ['is a page', (upstream) => upstream.behave(signature, { kind: 'page' }), badSignature],
    [
      'is refused',
      (upstream) => upstream.behave(signature, { kind: 'status', status: 403 }),
      ['SIGNATURE_MISSING', 32],
    ],
  ])('that %s stops a sync, and harms nothing', async (_title, spoil, outcome) => {
    await using upstream = await startDemoUpstream()
    await using site = await publishedSite(upstream)
    const before = await readTree(site.published(latest))
    await spoil(upstream)

    const result = await site.trySync('demo')

    expectOutcome(result, outcome)
    await expectHistory(site, result)
    expect(await readTree(site.published(latest))).toEqual(before)
    upstream.behave(signature)
    showDemo(upstream, 'v2')
    expect(await site.sync('demo')).toMatchObject({ status: 'synced', revision: 2 })
  })

  it.each([
    ['a key that is not trusted', async () => ({ key: (await signingKey()).publicKey, asc: null })],
    ['a key that has expired', () => expiredSignature(demoFiles('v1')[repomd] ?? Buffer.of())],
  ])('by %s stops a sync', async (_title, make) => {
    const { key, asc } = await make()
    await using upstream = await startDemoUpstream(asc === null ? {} : { files: { [signature]: asc } })
    await using site = await openDemoSite(upstream, { verify: { keys: [key] } })

    const result = await site.trySync('demo')

    expectOutcome(result, badSignature)
    expect(result.revision).toBeNull()
    expect(upstream.requestsFor('Packages/demo-hello-1.0-1.noarch.rpm')).toEqual([])
  })
})

describe('metadata', () => {
  it.each<[string, (files: DemoFiles) => void, Outcome]>([
    [
      'with a bomb in it is not unpacked',
      (files) => replacePrimary(files, gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))),
      tooLong,
    ],
    [
      'whose packages lie outside of the repository is refused',
      (files) =>
        editPrimary(files, (text) => text.replace('href="Packages/demo-hello', 'href="../../demo-hello')),
      ['PATH_UNSAFE', 35],
    ],
    [
      'with an absolute path in it is refused',
      (files) =>
        editPrimary(files, (text) => text.replace('href="Packages/demo-hello', 'href="/etc/demo-hello')),
      ['PATH_UNSAFE', 35],
    ],
    [
      'that itself lies outside of the repository is refused',
      (files) =>
        editRepomd(files, (text) => text.replace(/href="repodata\/[^"]+primary/, 'href="../primary')),
      ['PATH_UNSAFE', 35],
    ],
    [
      'that lies at another address is refused',
      (files) =>
        editRepomd(files, (text) =>
          text.replace('href="repodata', 'xml:base="http://other.example/" href="repodata'),
        ),
      invalid,
    ],
    [
      'that ends in the middle is refused',
      (files) => editPrimary(files, (text) => text.slice(0, 3000)),
      invalid,
    ],
    ['that is no XML is refused', (files) => editRepomd(files, () => 'revision: 1'), invalid],
  ])('%s', async (_title, spoil, outcome) => {
    await using upstream = await startDemoUpstream()
    await using site = await publishedSite(upstream, { verify: { metadata: 'off' } })
    const before = await readTree(site.published(latest))
    const files = { ...demoFiles('v2') }
    spoil(files)
    for (const [name, content] of Object.entries(files)) upstream.put(name, content)

    const result = await site.trySync('demo')

    expectOutcome(result, outcome)
    await expectHistory(site, result)
    expect(await readTree(site.published(latest))).toEqual(before)
    expect(await brokenInvariants(site)).toEqual([])
    showDemo(upstream, 'v2')
    expect(await site.sync('demo')).toMatchObject({ status: 'synced', revision: 2 })
  })

  it('that changes while it is read is read over', async () => {
    await using upstream = await startDemoUpstream()
    showDemo(upstream, 'v2')
    upstream.behave(repomd, { kind: 'content', body: demoFiles('v1')[repomd] ?? '', times: 1 })
    await using site = await openDemoSite(upstream)

    const result = await site.sync('demo')

    expect(result).toMatchObject({ status: 'synced', packages: 6, revision: 1 })
    expect(upstream.requestsFor(repomd)).toHaveLength(2)
    await site.publish('demo')
    expect(await readTree(site.published(latest))).toEqual(await readTree('assets/demo/v2'))
  })

  it('that never stands still ends in an error, not in a loop', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await publishedSite(upstream)
    upstream.remove(primary)

    const result = await site.trySync('demo')

    expectOutcome(result, invalid)
    expect(upstream.requestsFor(repomd).length).toBeLessThanOrEqual(4)
  })
})

describe('credentials', () => {
  const auth = { type: 'basic', username: 'mirror', password: 'open sesame' }
  const authorization = { kind: 'basic', username: 'mirror', password: 'open sesame' } as const

  it('are not shown to a host that a redirect leads to', async () => {
    await using other = await startUpstream({ files: demoFiles('v1') })
    await using upstream = await startDemoUpstream({ authorization })
    for (const path of [repomd, 'Packages/demo-hello-1.0-1.noarch.rpm']) {
      upstream.behave(path, { kind: 'redirect', to: new URL(path, other.url) })
    }
    await using site = await openDemoSite(upstream, { auth })

    const result = await site.sync('demo')

    expect(result.status).toBe('synced')
    expect(other.requests.map(({ path }) => path).sort()).toEqual([
      'Packages/demo-hello-1.0-1.noarch.rpm',
      repomd,
    ])
    expect(other.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })

  it('are not shown to a host that xml:base names', async () => {
    await using other = await startUpstream({ files: demoFiles('v1') })
    const files = { ...demoFiles('v1') }
    editPrimary(files, (text) =>
      text.replace(
        '<location href="Packages/demo-hello',
        `<location xml:base="${other.url}" href="Packages/demo-hello`,
      ),
    )
    await using upstream = await startDemoUpstream({ authorization, files })
    await using site = await openDemoSite(upstream, {
      auth,
      mode: 'filtered',
      verify: { metadata: 'off' },
    })

    const result = await site.sync('demo')

    expect(result).toMatchObject({ status: 'synced', packages: 6 })
    expect(other.requests.map(({ path }) => path)).toEqual(['Packages/demo-hello-1.0-1.noarch.rpm'])
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('that are wrong are reported without being shown', async () => {
    await using upstream = await startDemoUpstream({ authorization })
    await using site = await openDemoSite(upstream, { auth: { ...auth, password: 'open barley' } })

    const result = await site.trySync('demo')

    expectOutcome(result, refused)
    expect(result.error?.hint).toContain('auth')
    const shown = JSON.stringify([result.error, site.events, await historyOf(site)])
    expect(shown).not.toContain('barley')
    expect(shown).not.toContain(Buffer.from('mirror:open barley').toString('base64'))
  })
})

/** A site that trusts the key of the demonstration; retries cost no time. */
function openDemoSite(upstream: Upstream, more: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  return openSite({
    repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, verify: { keys: [demoKey] }, ...more }],
    sections: quick,
    wait: async (_ms, signal) => signal.throwIfAborted(),
  })
}

/** The first state is synced and published, and upstream has moved on. */
async function publishedSite(
  upstream: Upstream,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  const site = await openDemoSite(upstream, more)
  await site.sync('demo')
  await site.publish('demo')
  showDemo(upstream, 'v2')
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
  expect(result.status).toBe(exit === 50 ? 'partial' : 'failed')
  expect(result.error?.message).toMatch(/\w/)
}

async function historyOf(site: Site) {
  return site.context.catalog.read((reader) => reader.syncs(null, 10))
}

/** The last row is this run, and a run that failed left the revision before as the latest. */
async function expectHistory(site: Site, result: SyncResult): Promise<void> {
  const [row] = await historyOf(site)
  expect(row).toMatchObject({ status: result.status, revision: result.error ? 1 : 2 })
  expect(row?.error?.code ?? null).toBe(result.error?.code ?? null)
}
