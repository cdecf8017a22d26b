import { describe, expect, it } from 'vitest'
import { accessTo, promiseOf, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'
import { type Behaviour, startUpstream } from '../../tests/upstream/upstream.ts'
import { backoffMs, HostPauses, parseRetryAfter } from './retry.ts'

const never = new AbortController().signal

describe('backing off', () => {
  it.each([
    [1, 0.999_999, 499],
    [2, 0.999_999, 999],
    [3, 0.5, 1000],
    [20, 0.5, 15_000],
    [5, 0, 0],
  ])('after try %i, at random %f, waits %i ms', (tries, random, ms) => {
    expect(backoffMs(tries, () => random)).toBe(ms)
  })

  it.each([
    ['7', 7000],
    ['0', 0],
    ['86400', 120_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2020 00:00:00 GMT', 0],
    ['soon', null],
  ])('reads Retry-After: %s', (header, ms) => {
    expect(parseRetryAfter(header, Date.UTC(2026, 0, 1))).toBe(ms)
  })

  it('leaves a host alone until its time has come, and other hosts not at all', () => {
    let now = 0
    const pauses = new HostPauses(() => now)

    pauses.pause('a:80', 1000)
    now = 400

    expect([pauses.remainingMs('a:80'), pauses.remainingMs('b:80')]).toEqual([600, 0])
  })
})

describe('trying again', () => {
  it.each<[string, Behaviour]>([
    ['500', { kind: 'status', status: 500, times: 2 }],
    ['503', { kind: 'status', status: 503, times: 2 }],
    ['408', { kind: 'status', status: 408, times: 2 }],
    ['425', { kind: 'status', status: 425, times: 2 }],
    ['429', { kind: 'status', status: 429, times: 2 }],
    ['a body cut short', { kind: 'truncated', after: 2, times: 2 }],
    ['wrong bytes', { kind: 'content', body: 'wrong', times: 1 }],
  ])('gets the file after %s, and reports each retry', async (_, behaviour) => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    upstream.behave('file', behaviour)
    await using bench = await startDownloadBench()
    const access = accessTo(new URL('?token=s3cret', upstream.url), { limits: { retries: 2 } })
    const client = await bench.downloader.open(access, never)

    const result = await client.fetch(wantedFile('file', promiseOf('right')), null, never)

    expect(await bench.read(result)).toBe('right')
    const retried = bench.events.filter((event) => event.type === 'download.retried')
    expect(retried).toHaveLength(behaviour.times ?? 0)
    expect(retried[0]).toMatchObject({
      repository: 'test',
      url: `${upstream.url}file?token=***`,
      retryInMs: 250,
    })
    expect(JSON.stringify(bench.events)).not.toContain('s3cret')
  })

  it.each<[string, Behaviour, number]>([
    ['500 as often as the settings allow', { kind: 'status', status: 500 }, 4],
    ['wrong bytes once', { kind: 'content', body: 'wrong' }, 2],
    ['403 never', { kind: 'status', status: 403 }, 1],
    ['404 never', { kind: 'status', status: 404 }, 1],
  ])('retries %s', async (_, behaviour, requests) => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    upstream.behave('file', behaviour)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { limits: { retries: 3 } }), never)

    await expect(client.fetch(wantedFile('file', promiseOf('right')), null, never)).rejects.toThrow()

    expect(upstream.requests).toHaveLength(requests)
  })

  it('waits as long as Retry-After asks, for other files of the host as well', async () => {
    await using upstream = await startUpstream({ files: { file: 'right', other: 'too' } })
    upstream.behave('file', { kind: 'status', status: 429, headers: { 'retry-after': '60' } })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { limits: { retries: 0 } }), never)

    await expect(client.fetch(wantedFile('file'), null, never)).rejects.toMatchObject({
      details: { status: 429 },
    })
    await client.fetch(wantedFile('other'), null, never)

    expect(bench.waits).toEqual([60_000])
  })

  it.each<[string, Behaviour, RegExp]>([
    ['does not answer', { kind: 'silent' }, /no answer in time/],
    ['stalls within the body', { kind: 'stalled', after: 2 }, /stalled/],
    ['says for ever that it is working', { kind: 'working', answers: 1000 }, /none but informational/],
  ])('gives up on a server that %s', async (_, behaviour, message) => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    upstream.behave('file', behaviour)
    await using bench = await startDownloadBench()
    const limits = { retries: 0, timeoutMs: 100, stallTimeoutMs: 100 }
    const client = await bench.downloader.open(accessTo(upstream.url, { limits }), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
      message: expect.stringMatching(message),
    })
  })

  it('waits for a server that says that it is working', async () => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    upstream.behave('file', { kind: 'working', answers: 3 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
  })

  it.each([
    ['a closed port', 'http://127.0.0.1:1/', /refused/],
    ['an unknown host', 'http://no-such-host.invalid/', /name of the host is not known/],
  ])('says that it cannot reach %s', async (_, url, message) => {
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(new URL(url), { limits: { retries: 0 } }), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
      message: expect.stringMatching(message),
    })
  })
})
