import { describe, expect, it } from 'vitest'
import { createCertificates, whyNoCertificates } from '../../tests/upstream/certificates.ts'
import { accessTo, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'
import { startProxy } from '../../tests/upstream/proxy.ts'
import { startUpstream } from '../../tests/upstream/upstream.ts'
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
