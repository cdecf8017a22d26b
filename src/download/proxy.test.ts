import { describe, expect, it } from 'vitest'
import { createCertificates, whyNoCertificates } from '../../tests/upstream/certificates.ts'
import { accessTo, collect, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'
import { startProxy } from '../../tests/upstream/proxy.ts'
import { startUpstream, type Upstream } from '../../tests/upstream/upstream.ts'
import { bypassesProxy } from './proxy.ts'

const never = new AbortController().signal
const noProxy = { http: null, https: null, noProxy: [], username: null, password: null }
const missing = whyNoCertificates()
const withCertificates = missing === null ? '' : ` (skipped: ${missing})`

describe('no_proxy', () => {
  it.each([
    ['example.org', 'http://example.org/', true],
    ['example.org', 'http://mirror.example.org/', true],
    ['example.org', 'http://notexample.org/', false],
    ['.example.org', 'http://mirror.example.org/', true],
    ['.example.org', 'http://notexample.org/', false],
    ['EXAMPLE.org', 'http://example.ORG/', true],
    ['*', 'https://anything/', true],
    ['*.example.org', 'http://mirror.example.org/', true],
    ['example.org:8080', 'http://example.org:8080/', true],
    ['example.org:8080', 'http://example.org/', false],
    ['example.org:443', 'https://example.org/', true],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.0.0.0/8', 'http://ten.example/', false],
    ['10.0.0.0/99', 'http://10.1.2.3/', false],
    ['10.1.2.3', 'http://10.1.2.3:99/', true],
    ['::1', 'http://[::1]/', true],
    ['[::1]:80', 'http://[::1]/', true],
    ['', 'http://example.org/', false],
  ])('rule %j for %s: %s', (rule, url, expected) => {
    expect(bypassesProxy(new URL(url), [rule])).toBe(expected)
  })
})

describe('a proxy', () => {
  it('forwards http, and alone sees the credentials that are for it', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    await using forward = await startProxy({ username: 'me', password: 'pr0xy' })
    await using bench = await startDownloadBench()
    const proxy = { ...noProxy, http: forward.url, username: 'me', password: 'pr0xy' }
    const credentials = { kind: 'bearer', token: 't0ken' } as const
    const client = await bench.downloader.open(accessTo(upstream.url, { proxy, credentials }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
    expect(forward.requests).toMatchObject([{ method: 'GET', target: `${upstream.url}file` }])
    expect(upstream.requests[0]?.headers).toMatchObject({ authorization: 'Bearer t0ken' })
    expect(upstream.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  it('may have its user and password in its URL', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    await using forward = await startProxy({ username: 'me', password: 'p@ss' })
    await using bench = await startDownloadBench()
    const http = new URL(forward.url)
    http.username = 'me'
    http.password = 'p@ss'
    const client = await bench.downloader.open(accessTo(upstream.url, { proxy: { ...noProxy, http } }), never)

    await client.fetch(wantedFile('file'), null, never)

    expect(forward.requests).toHaveLength(1)
  })

  it('is passed by for hosts under no_proxy', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    await using forward = await startProxy()
    await using bench = await startDownloadBench()
    const proxy = { ...noProxy, http: forward.url, noProxy: ['127.0.0.0/8'] }
    const client = await bench.downloader.open(accessTo(upstream.url, { proxy }), never)

    await client.fetch(wantedFile('file'), null, never)

    expect(forward.requests).toEqual([])
  })

  it('that refuses is named, with a hint on its settings', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    await using forward = await startProxy({ username: 'me', password: 'pr0xy' })
    await using bench = await startDownloadBench()
    const proxy = { ...noProxy, http: forward.url }
    const client = await bench.downloader.open(accessTo(upstream.url, { proxy }), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      message: expect.stringContaining('proxy answers 407'),
      hint: expect.stringContaining('`proxy`'),
    })
  })
})

describe.skipIf(missing !== null)(`https${withCertificates}`, async () => {
  const certificates = missing === null ? await createCertificates() : null
  if (!certificates) return
  const { authority, server, client: own } = certificates
  const trusting = { verify: true, ca: authority, certificate: null, key: null }

  it.each([
    ['trusts the authority of the settings', trusting],
    ['trusts anyone where verification is off', { ...trusting, verify: false, ca: null }],
  ])('%s', async (_, tls) => {
    await using upstream = await startUpstream({ files: { file: 'right' }, tls: server })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { tls }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
  })

  it('refuses an unknown authority at once, with a hint on how to trust it', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' }, tls: server })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      hint: expect.stringContaining('ssl.ca_bundle'),
    })
    expect(bench.events).toEqual([])
  })

  it('brings the client certificate that upstream wants', async () => {
    const tls = { ...server, clientAuthority: authority }
    await using upstream = await startUpstream({ files: { file: 'right' }, tls })
    await using bench = await startDownloadBench()
    const access = accessTo(upstream.url, { tls: { ...trusting, ...own } })
    const client = await bench.downloader.open(access, never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
  })

  describe.each(['this thread', 'another thread'] as const)(
    'shows the client certificate from %s',
    (place) => {
      const asking = { ...server, clientAuthority: authority, servesAnyone: true }
      const tls = { ...trusting, ...own }
      const wanted = [wantedFile('file')]

      it('to the feed, and not where that redirects to: another port, another name', async () => {
        await using other = await startUpstream({ files: { file: 'right' }, tls: asking })
        await using upstream = await startUpstream({ files: { moved: 'right' }, tls: asking })
        const byName = new URL('moved', upstream.url)
        byName.hostname = 'localhost'
        upstream.behave('file', { kind: 'redirect', to: new URL('file', other.url) })
        upstream.behave('named', { kind: 'redirect', to: byName })
        await using bench = await startDownloadBench({}, place)
        const client = await bench.downloader.open(accessTo(upstream.url, { tls }), never)

        const files = [...wanted, wantedFile('named'), wantedFile('moved')]
        const outcomes = await collect(client.fetchAll(files, never))

        expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true])
        expect(certificatesSeenBy(other)).toEqual([false])
        for (const { headers, hasCertificate } of upstream.requests)
          expect(hasCertificate).toBe(headers.host === upstream.url.host)
        expect(upstream.requests).toHaveLength(4)
      })

      it('to a mirrorlist, and not to the mirrors that it names', async () => {
        await using mirror = await startUpstream({ files: { file: 'right' }, tls: asking })
        await using list = await startUpstream({ files: { list: mirror.url.href }, tls: asking })
        await using bench = await startDownloadBench({}, place)
        const feed = { kind: 'mirrorlist', url: new URL('list', list.url) } as const
        const client = await bench.downloader.open(accessTo(list.url, { feed, tls }), never)

        const [outcome] = await collect(client.fetchAll(wanted, never))

        expect(outcome).toMatchObject({ ok: true })
        expect(certificatesSeenBy(list)).toEqual([true])
        expect(certificatesSeenBy(mirror)).toEqual([false])
      })

      it('to each of the feeds of a repository, and not to another host that metadata names', async () => {
        await using one = await startUpstream({ tls: asking })
        await using two = await startUpstream({ files: { file: 'right' }, tls: asking })
        await using other = await startUpstream({ files: { elsewhere: 'right' }, tls: asking })
        await using bench = await startDownloadBench({}, place)
        const client = await bench.downloader.open(accessTo([one.url, two.url], { tls }), never)

        const files = [...wanted, wantedFile(new URL('elsewhere', other.url))]
        const outcomes = await collect(client.fetchAll(files, never))

        expect(outcomes.map(({ ok }) => ok)).toEqual([true, true])
        expect([one, two, other].map(certificatesSeenBy)).toEqual([[true], [true], [false]])
      })

      it('through a tunnel of the proxy, by the same rule', async () => {
        await using other = await startUpstream({ files: { file: 'right' }, tls: asking })
        await using upstream = await startUpstream({ tls: asking })
        upstream.behave('file', { kind: 'redirect', to: new URL('file', other.url) })
        await using forward = await startProxy()
        await using bench = await startDownloadBench({}, place)
        const proxy = { ...noProxy, https: forward.url }
        const client = await bench.downloader.open(accessTo(upstream.url, { tls, proxy }), never)

        const [outcome] = await collect(client.fetchAll(wanted, never))

        expect(outcome).toMatchObject({ ok: true })
        expect(forward.requests).toHaveLength(2)
        expect([upstream, other].map(certificatesSeenBy)).toEqual([[true], [false]])
      })
    },
  )

  it.each([
    ['the authority of the settings', trusting],
    ['anyone where verification is off', { ...trusting, verify: false, ca: null }],
  ])('trusts %s where the feed redirects to as well', async (_, tls) => {
    await using other = await startUpstream({ files: { file: 'right' }, tls: server })
    await using upstream = await startUpstream({ tls: server })
    upstream.behave('file', { kind: 'redirect', to: new URL('file', other.url) })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { tls }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
  })

  it('hints at the client certificate where upstream wants one and gets none', async () => {
    const tls = { ...server, clientAuthority: authority }
    await using upstream = await startUpstream({ files: { file: 'right' }, tls })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { tls: trusting }), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      hint: expect.stringContaining('ssl.client_cert'),
    })
  })

  it('refuses a redirect to http', async () => {
    await using plain = await startUpstream({ files: { file: 'right' } })
    await using upstream = await startUpstream({ tls: server })
    upstream.behave('file', { kind: 'redirect', to: new URL('file', plain.url) })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { tls: trusting }), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      message: expect.stringContaining('https to http'),
    })
    expect(plain.requests).toEqual([])
  })

  it('goes through a tunnel of the proxy, which sees none of it', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' }, tls: server })
    await using forward = await startProxy({ username: 'me', password: 'pr0xy' })
    await using bench = await startDownloadBench()
    const proxy = { ...noProxy, https: forward.url, username: 'me', password: 'pr0xy' }
    const credentials = { kind: 'bearer', token: 't0ken' } as const
    const client = await bench.downloader.open(
      accessTo(upstream.url, { tls: trusting, proxy, credentials }),
      never,
    )

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
    expect(forward.requests).toMatchObject([{ method: 'CONNECT', target: upstream.url.host }])
    expect(JSON.stringify(forward.requests)).not.toContain('t0ken')
    expect(upstream.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  it('is told that the proxy wants other credentials', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' }, tls: server })
    await using forward = await startProxy({ username: 'me', password: 'pr0xy' })
    await using bench = await startDownloadBench()
    const proxy = { ...noProxy, https: forward.url }
    const client = await bench.downloader.open(accessTo(upstream.url, { tls: trusting, proxy }), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      message: expect.stringContaining('407'),
    })
  })
})

function certificatesSeenBy(upstream: Upstream): readonly boolean[] {
  return upstream.requests.map(({ hasCertificate }) => hasCertificate)
}
