import { describe, expect, it } from 'vitest'
import { accessTo, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'
import { type Authorization, startUpstream, type Upstream } from '../../tests/upstream/upstream.ts'
import type { Credentials } from './downloader.ts'

const never = new AbortController().signal

const basic = { kind: 'basic', username: 'user', password: 'pass:w0rd' } as const
const bearer = { kind: 'bearer', token: 't0ken' } as const
const headers = { kind: 'headers', headers: { 'X-Key': 'k3y' } } as const

const kinds: [string, Credentials, Authorization][] = [
  ['basic', basic, basic],
  ['bearer', bearer, bearer],
  ['header', headers, { kind: 'header', name: 'x-key', value: 'k3y' }],
]

describe('credentials', () => {
  it.each(kinds)('open a feed that wants %s authorization', async (_, credentials, authorization) => {
    await using upstream = await startUpstream({ files: { file: 'right' }, authorization })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { credentials }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
  })

  it('may stand in the URL of the feed, and are shown nowhere', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' }, authorization: basic })
    await using bench = await startDownloadBench()
    const url = new URL(upstream.url)
    url.username = basic.username
    url.password = basic.password
    const client = await bench.downloader.open(accessTo(url), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(result).toMatchObject({ url: `${upstream.url}file` })
  })

  it.each(kinds)('stay with their host on a redirect (%s), which is followed', async (_, credentials) => {
    await using other = await startUpstream({ files: { elsewhere: 'right' } })
    await using upstream = await startUpstream()
    upstream.behave('file', { kind: 'redirect', to: new URL('elsewhere?signature=1', other.url) })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { credentials }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
    expect(secretsSeenBy(upstream)).toHaveLength(1)
    expect(secretsSeenBy(other)).toEqual([])
    expect(other.requests).toHaveLength(1)
  })

  it('go along on a redirect within their host', async () => {
    await using upstream = await startUpstream({ files: { 'new/file': 'right' }, authorization: bearer })
    upstream.behave('file', { kind: 'redirect', to: '/new/file', status: 301 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { credentials: bearer }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
  })

  it('stay away from absolute locations elsewhere', async () => {
    await using other = await startUpstream({ files: { file: 'right' } })
    await using upstream = await startUpstream()
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { credentials: headers }), never)

    await client.fetch(wantedFile(new URL('file', other.url)), null, never)

    expect(other.requests).toHaveLength(1)
    expect(secretsSeenBy(other)).toEqual([])
  })

  it('stay away from the mirrors that a mirrorlist names', async () => {
    await using mirror = await startUpstream({ files: { file: 'right' } })
    await using list = await startUpstream({ files: { list: mirror.url.href }, authorization: bearer })
    await using bench = await startDownloadBench()
    const feed = { kind: 'mirrorlist', url: new URL('list', list.url) } as const
    const client = await bench.downloader.open(accessTo(list.url, { feed, credentials: bearer }), never)

    await client.fetch(wantedFile('file'), null, never)

    expect(mirror.requests).toHaveLength(1)
    expect(secretsSeenBy(mirror)).toEqual([])
  })

  it('are hinted at where the feed refuses', async () => {
    await using upstream = await startUpstream({ authorization: bearer })
    await using bench = await startDownloadBench()
    const wrong = { kind: 'bearer', token: 'wr0ng' } as const
    const client = await bench.downloader.open(accessTo(upstream.url, { credentials: wrong }), never)

    const error = await client.fetch(wantedFile('file'), null, never).catch((caught) => caught)

    expect(error).toMatchObject({ code: 'UPSTREAM_REFUSED', hint: expect.stringContaining('`auth`') })
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('wr0ng')
  })
})

function secretsSeenBy(upstream: Upstream): readonly unknown[] {
  return upstream.requests.filter((request) => /t0ken|k3y|Basic /.test(JSON.stringify(request.headers)))
}
