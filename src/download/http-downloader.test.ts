import { describe, expect, it } from 'vitest'
import {
  accessTo,
  collect,
  promiseOf,
  startDownloadBench,
  wantedFile,
} from '../../tests/upstream/downloading.ts'
import { type Behaviour, startUpstream } from '../../tests/upstream/upstream.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { UpstreamFile } from '../core/model.ts'
import type { Pool } from '../pool/pool.ts'

const never = new AbortController().signal
const large = 'large '.repeat(600_000)

describe('fetching one file', () => {
  it.each([
    ['small', 'hello'],
    ['empty', ''],
    ['large', large],
  ])('receives a %s file', async (_, content) => {
    await using upstream = await startUpstream({ files: { 'a/file': content } })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('a/file', promiseOf(content)), null, never)

    expect(await bench.read(result)).toBe(content)
    expect(result).toMatchObject({
      url: `${upstream.url}a/file`,
      validators: { etag: expect.stringMatching(/^"/) },
    })
    expect(upstream.requests[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': 'chantal/test',
    })
  })

  it('receives a large file of which nothing is known', async () => {
    await using upstream = await startUpstream({ files: { file: large } })
    upstream.behave('file', { kind: 'chunked' })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe(large)
  })

  it('takes the bytes of a .gz as they are, whatever coding the server says they have', async () => {
    await using upstream = await startUpstream({ files: { 'x.gz': 'not really gzip' } })
    upstream.behave('x.gz', { kind: 'gzip-encoding' })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('x.gz', promiseOf('not really gzip')), null, never)

    expect(await bench.read(result)).toBe('not really gzip')
  })

  it.each<[string, Behaviour, string, RegExp]>([
    ['404', { kind: 'status', status: 404 }, 'NOT_FOUND', /answers 404/],
    ['410', { kind: 'status', status: 410 }, 'NOT_FOUND', /answers 410/],
    ['401', { kind: 'status', status: 401 }, 'UPSTREAM_REFUSED', /answers 401/],
    ['403', { kind: 'status', status: 403 }, 'UPSTREAM_REFUSED', /answers 403/],
    ['451', { kind: 'status', status: 451 }, 'UPSTREAM_REFUSED', /answers 451/],
    ['500 again and again', { kind: 'status', status: 500 }, 'UPSTREAM_UNREACHABLE', /answers 500/],
    ['an unexpected status', { kind: 'status', status: 204 }, 'UPSTREAM_INVALID', /204/],
    ['a 304 that was not asked for', { kind: 'status', status: 304 }, 'UPSTREAM_INVALID', /304/],
    ['an HTML page', { kind: 'page' }, 'CHECKSUM_MISMATCH', /HTML page, perhaps a login/],
    ['wrong bytes', { kind: 'content', body: 'wrong' }, 'CHECKSUM_MISMATCH', /expected sha256/],
    [
      'too many bytes',
      { kind: 'content', body: 'right, and more' },
      'CHECKSUM_MISMATCH',
      /expected 5 bytes, got 15/,
    ],
    ['an endless body', { kind: 'endless' }, 'CHECKSUM_MISMATCH', /expected 5 bytes/],
    ['a body cut short', { kind: 'truncated', after: 2 }, 'UPSTREAM_UNREACHABLE', /cannot fetch/],
    [
      'a chunked body cut short',
      { kind: 'truncated', after: 2, chunked: true },
      'UPSTREAM_UNREACHABLE',
      /cannot fetch/,
    ],
    [
      'a redirect without end',
      { kind: 'redirect', to: '/file' },
      'UPSTREAM_REFUSED',
      /more than 10 redirects/,
    ],
    [
      'a redirect to a local file',
      { kind: 'redirect', to: 'file:///etc/passwd' },
      'UPSTREAM_REFUSED',
      /no web address/,
    ],
  ])('fails on %s', async (_, behaviour, code, message) => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    upstream.behave('file', behaviour)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const failing = client.fetch(wantedFile('file', promiseOf('right')), null, never)

    await expect(failing).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it.each<[string, Behaviour]>([
    ['that is announced', { kind: 'no-ranges' }],
    ['that is not announced', { kind: 'chunked' }],
    ['without end', { kind: 'endless' }],
  ])('stops at the size limit of a body %s', async (_, behaviour) => {
    await using upstream = await startUpstream({ files: { file: large } })
    upstream.behave('file', behaviour)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const failing = client.fetch(wantedFile('file', { maxSize: 2_000_000 }), null, never)

    await expect(failing).rejects.toMatchObject({ code: 'SIZE_LIMIT' })
    expect(upstream.requests).toHaveLength(1)
  })

  it('says unchanged where the validators still hold, and fetches where they do not', async () => {
    await using upstream = await startUpstream({ files: { file: 'one' } })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const first = await client.fetch(wantedFile('file'), null, never)
    const validators = first.status === 'fetched' ? first.validators : null

    const second = await client.fetch(wantedFile('file'), validators, never)
    upstream.put('file', 'two')
    const third = await client.fetch(wantedFile('file'), validators, never)

    expect(second).toEqual({ status: 'unchanged' })
    expect(await bench.read(third)).toBe('two')
  })

  it('asks for names with special characters percent-encoded, and keeps the query of the feed', async () => {
    const name = 'p/lib+x~1^2 %41#?ü.rpm'
    await using upstream = await startUpstream({ files: { [`feed/${name}`]: 'found' } })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(new URL('feed/?token=s3cret', upstream.url)), never)

    const result = await client.fetch(wantedFile(name), null, never)

    expect(await bench.read(result)).toBe('found')
    expect(upstream.requests[0]?.url).toBe('/feed/p/lib%2Bx%7E1%5E2%20%2541%23%3F%C3%BC.rpm?token=s3cret')
    expect(JSON.stringify(result)).not.toContain('s3cret')
  })

  it('ends at once when aborted, with the reason of the signal', async () => {
    await using upstream = await startUpstream({ files: { file: large } })
    upstream.behave('file', { kind: 'stalled', after: 1_500_000 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const abort = new AbortController()
    const reason = new Error('enough')

    const failing = client.fetch(wantedFile('file', promiseOf(large)), null, abort.signal)
    setTimeout(() => abort.abort(reason), 50)

    await expect(failing).rejects.toBe(reason)
  })
})

describe('closing', () => {
  it.each(['client', 'downloader'])('the %s ends what is under way', async (what) => {
    await using upstream = await startUpstream({ files: { file: 'right' } })
    upstream.behave('file', { kind: 'silent' })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const failing = client.fetch(wantedFile('file'), null, never)
    setTimeout(() => (what === 'client' ? client : bench.downloader)[Symbol.asyncDispose](), 20)

    await expect(failing).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})

describe.each(['this thread', 'another thread'] as const)('fetching many files in %s', (place) => {
  it('yields each file once, and a failure as a value', async () => {
    const names = Array.from({ length: 40 }, (_, n) => `file-${n}`)
    await using upstream = await startUpstream({
      files: Object.fromEntries(names.map((name) => [name, name])),
    })
    upstream.remove('file-7')
    await using bench = await startDownloadBench({}, place)
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const outcomes = await collect(
      client.fetchAll(
        names.map((name) => wantedFile(name)),
        never,
      ),
    )

    expect(outcomes.map((outcome) => outcome.file.path).sort()).toEqual([...names].sort())
    const failed = outcomes.filter((outcome) => !outcome.ok)
    expect(failed).toMatchObject([
      { file: { path: 'file-7' }, url: `${upstream.url}file-7`, error: { code: 'NOT_FOUND' } },
    ])
  })

  it('reads the files no further ahead than it works', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    await using bench = await startDownloadBench({ concurrency: 4 }, place)
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    let read = 0
    function* files(): Generator<UpstreamFile> {
      for (; read < 100; ) {
        read += 1
        yield wantedFile('file')
      }
    }
    let taken = 0
    let furthest = 0

    for await (const outcome of client.fetchAll(files(), never)) {
      expect(outcome.ok).toBe(true)
      taken += 1
      await new Promise((resolve) => setTimeout(resolve, 1))
      furthest = Math.max(furthest, read - taken)
    }

    expect(taken).toBe(100)
    expect(furthest).toBeLessThanOrEqual(4)
  })

  it.each([
    ['of the downloader over all', { concurrency: 3, perHost: 16 }, 16, 3],
    ['of the downloader for a host', { concurrency: 16, perHost: 2 }, 16, 2],
    ['of the repository for a host', { concurrency: 16, perHost: 16 }, 2, 2],
  ])('keeps to the limit %s', async (_, options, perHost, most) => {
    await using upstream = await startUpstream({ files: { file: 'x'.repeat(1000) } })
    upstream.behave('file', { kind: 'slow', bytes: 500, pauseMs: 5 })
    await using bench = await startDownloadBench(options, place)
    const access = accessTo(upstream.url, { limits: { perHost } })
    const client = await bench.downloader.open(access, never)

    await collect(
      client.fetchAll(
        Array.from({ length: 20 }, () => wantedFile('file')),
        never,
      ),
    )

    expect(upstream.requests).toHaveLength(20)
    expect(upstream.mostAtOnce).toBe(most)
  })

  it('throws the reason when aborted between files', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    await using bench = await startDownloadBench({}, place)
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const abort = new AbortController()
    const reason = new Error('enough')

    const consume = async () => {
      for await (const _ of client.fetchAll(
        Array.from({ length: 50 }, () => wantedFile('file')),
        abort.signal,
      )) {
        abort.abort(reason)
      }
    }

    await expect(consume()).rejects.toBe(reason)
  })

  it('leaves nothing behind when its consumer stops early', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    await using bench = await startDownloadBench({}, place)
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    for await (const outcome of client.fetchAll(
      Array.from({ length: 50 }, () => wantedFile('file')),
      never,
    )) {
      if (outcome.ok) await outcome.blob[Symbol.asyncDispose]()
      break
    }

    expect(await bench.pool.sweepTemporary({ ms: -1_000_000 })).toBe(0)
  })

  it('ends with the error of a list that fails', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    await using bench = await startDownloadBench({}, place)
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    function* files(): Generator<UpstreamFile> {
      yield wantedFile('file')
      throw new Error('the list broke')
    }

    await expect(collect(client.fetchAll(files(), never))).rejects.toThrow('the list broke')
  })

  it('gives a disk that is full as the outcome of a file', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    await using bench = await startDownloadBench({}, place)
    await using other = await startDownloadBench({ pool: failingPool(bench.pool) }, place)
    const client = await other.downloader.open(accessTo(upstream.url), never)

    const [outcome] = await collect(client.fetchAll([wantedFile('file')], never))

    expect(outcome?.ok === false && isChantalError(outcome.error, 'DISK_FULL')).toBe(true)
    expect(upstream.requests).toHaveLength(1)
  })
})

function failingPool(pool: Pool): Pool {
  return Object.create(pool, {
    receiveWhole: {
      value: () => {
        throw new ChantalError('DISK_FULL', 'no space left')
      },
    },
  })
}
