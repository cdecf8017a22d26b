import { describe, expect, it } from 'vitest'
import {
  accessTo,
  collect,
  promiseOf,
  startDownloadBench,
  wantedFile,
} from '../../tests/upstream/downloading.ts'
import { type Behaviour, startUpstream } from '../../tests/upstream/upstream.ts'
import { ChantalError } from '../core/errors.ts'
import { mostTelling } from './mirrors.ts'

const never = new AbortController().signal

describe.each(['this thread', 'another thread'] as const)('several mirrors of a list in %s', (place) => {
  it.each<[string, Behaviour]>([
    ['answers 500', { kind: 'status', status: 500 }],
    ['answers 403', { kind: 'status', status: 403 }],
    ['answers 404', { kind: 'status', status: 404 }],
    ['breaks off', { kind: 'truncated', after: 1 }],
    ['serves wrong bytes', { kind: 'content', body: 'wrong' }],
    ['serves an HTML page', { kind: 'page' }],
    ['serves too much', { kind: 'endless' }],
  ])(
    'takes the file from the next where one %s, says so once, and asks it last from then on',
    async (_, behaviour) => {
      const files = { one: 'right', two: 'right', three: 'right' }
      await using bad = await startUpstream({ files })
      await using good = await startUpstream({ files })
      bad.behave('*', behaviour)
      await using bench = await startDownloadBench({ concurrency: 1 }, place)
      const client = await bench.downloader.open(accessTo([bad.url, good.url]), never)

      const wanted = Object.keys(files).map((name) => wantedFile(name, promiseOf('right')))
      const outcomes = await collect(client.fetchAll(wanted, never))
      await client.fetch(wantedFile('one', promiseOf('right')), null, never)

      expect(outcomes.map((outcome) => outcome.ok && outcome.url)).toEqual([
        `${good.url}one`,
        `${good.url}two`,
        `${good.url}three`,
      ])
      expect(bench.warnings('MIRROR_FAILED')).toEqual([expect.stringContaining(`mirror ${bad.url} failed`)])
      expect(new Set(bad.requests.map((request) => request.path))).toEqual(new Set(['one']))
      expect(good.requests).toHaveLength(4)
    },
  )
})

describe('several mirrors', () => {
  it.each<[string, Behaviour, Behaviour, string]>([
    [
      'NOT_FOUND where all say so',
      { kind: 'status', status: 404 },
      { kind: 'status', status: 410 },
      'NOT_FOUND',
    ],
    [
      'no NOT_FOUND where one fails',
      { kind: 'status', status: 404 },
      { kind: 'status', status: 500 },
      'UPSTREAM_UNREACHABLE',
    ],
    [
      'the refusal before the silence',
      { kind: 'status', status: 500 },
      { kind: 'status', status: 403 },
      'UPSTREAM_REFUSED',
    ],
    [
      'the wrong bytes before the refusal',
      { kind: 'page' },
      { kind: 'status', status: 403 },
      'CHECKSUM_MISMATCH',
    ],
  ])('fails with the most telling error: %s', async (_, first, second, code) => {
    await using one = await startUpstream({ files: { file: 'right' } })
    await using two = await startUpstream({ files: { file: 'right' } })
    one.behave('file', first)
    two.behave('file', second)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo([one.url, two.url]), never)

    const failing = client.fetch(wantedFile('file', promiseOf('right')), null, never)

    await expect(failing).rejects.toMatchObject({
      code,
      details: { mirrors: [expect.stringMatching(/^http/), expect.stringMatching(/^http/)] },
    })
  })

  it.each([
    ['another mirror', true],
    ['another feed', false],
  ])('does not ask %s by what one answered: it would call something else unchanged', async (_, isMirror) => {
    // They all say the same time of what they have.
    await using one = await startUpstream({ files: { file: 'one' }, etags: 'none' })
    await using two = await startUpstream({ files: { file: 'two' }, etags: 'none' })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo([one.url, two.url]), never)
    const first = await client.fetch(wantedFile('file'), null, never)
    const since = first.status === 'fetched' ? first.validators : null
    one.behave('file', { kind: 'status', status: 403 })
    const next = isMirror ? client : await bench.downloader.open(accessTo(two.url), never)

    const result = await next.fetch(wantedFile('file'), since, never)

    expect(since?.lastModified).not.toBeNull()
    expect(await bench.read(result)).toBe('two')
    expect(two.requests[0]?.headers).not.toHaveProperty('if-modified-since')
  })

  it('says which mirrors lack a file that the others did not answer for', async () => {
    await using one = await startUpstream()
    await using two = await startUpstream({ files: { file: 'right' } })
    two.behave('file', { kind: 'status', status: 403 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo([one.url, two.url]), never)

    await expect(client.fetch(wantedFile('file'), null, never)).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      details: { mirrors_without: [one.url.href] },
    })
  })

  it('says nothing of mirrors where all of them lack a file', async () => {
    await using one = await startUpstream()
    await using two = await startUpstream()
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo([one.url, two.url]), never)

    await expect(client.fetch(wantedFile('file'), null, never)).rejects.toMatchObject({ code: 'NOT_FOUND' })

    expect(bench.events).toEqual([])
  })

  it.each([
    ['some, where nothing says that it is there', true, 3],
    ['all, where something does', false, 5],
  ])('are asked for what they lack: %s', async (_, isGuess, asked) => {
    await using down = await startUpstream()
    await using closing = new AsyncDisposableStack()
    const others = await Promise.all(
      Array.from({ length: 5 }, async () => closing.use(await startUpstream())),
    )
    const feeds = [down.url, ...others.map(({ url }) => url)] as const
    down.behave('file', { kind: 'status', status: 403 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(feeds), never)

    const failing = client.fetch({ ...wantedFile('file'), isGuess }, null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
      details: { mirrors_without: others.slice(0, asked).map(({ url }) => url.href) },
    })
    expect(others.flatMap(({ requests }) => requests)).toHaveLength(asked)
  })

  it('names the first twenty that failed on a file, and how many more did', () => {
    const failures = Array.from({ length: 50 }, (_, index) => ({
      mirror: new URL(`http://m${index}.example/`),
      error: new ChantalError('NOT_FOUND', `not found at ${index}`),
    }))
    const [first, ...others] = failures
    if (!first) throw new Error('no failure')

    const { message, details } = mostTelling([first, ...others])

    expect(message).toContain('49 more mirrors failed')
    expect(details['mirrors']).toHaveLength(20)
    expect(details['mirrors_without']).toHaveLength(20)
  })

  it('comes back to a mirror that failed for a while, when the others failed as well', async () => {
    await using one = await startUpstream({ files: { file: 'right' } })
    await using two = await startUpstream({ files: { file: 'right' } })
    one.behave('file', { kind: 'status', status: 503, times: 1 })
    two.behave('file', { kind: 'status', status: 403 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo([one.url, two.url]), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(result).toMatchObject({ status: 'fetched', url: `${one.url}file` })
  })

  it('resumes at the next mirror what broke off for good at the first', async () => {
    const content = 'large '.repeat(500_000)
    await using one = await startUpstream({ files: { file: content } })
    await using two = await startUpstream({ files: { file: content } })
    one.behave('file', { kind: 'truncated', after: 2_000_000, times: 1 }, { kind: 'status', status: 403 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo([one.url, two.url]), never)

    const result = await client.fetch(wantedFile('file', promiseOf(content)), null, never)

    expect(await bench.read(result)).toBe(content)
    expect(two.requests).toMatchObject([{ status: 206, headers: { range: 'bytes=2000000-' } }])
  })
})

describe('a mirrorlist', () => {
  it('names the mirrors', async () => {
    await using mirror = await startUpstream({ files: { 'base/file': 'right' } })
    await using list = await startUpstream({ files: { list: `# mirrors\n${mirror.url}base\n` } })
    await using bench = await startDownloadBench()
    const feed = { kind: 'mirrorlist', url: new URL('list', list.url) } as const
    const client = await bench.downloader.open(accessTo(list.url, { feed }), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
    expect(client.metalink).toBeNull()
  })

  it.each<[string, Behaviour, string]>([
    ['is an HTML page', { kind: 'page' }, 'UPSTREAM_INVALID'],
    ['is not there', { kind: 'status', status: 404 }, 'UPSTREAM_REFUSED'],
    ['is refused', { kind: 'status', status: 401 }, 'UPSTREAM_REFUSED'],
    ['fails', { kind: 'status', status: 500 }, 'UPSTREAM_UNREACHABLE'],
    ['has no end', { kind: 'endless' }, 'UPSTREAM_INVALID'],
  ])('does not open where it %s', async (_, behaviour, code) => {
    await using list = await startUpstream()
    list.behave('list', behaviour)
    await using bench = await startDownloadBench()
    const feed = { kind: 'mirrorlist', url: new URL('list?token=s3cret', list.url) } as const

    const failing = bench.downloader.open(accessTo(list.url, { feed }), never)

    await expect(failing).rejects.toMatchObject({ code, message: expect.not.stringContaining('s3cret') })
  })
  it('does not open where it is longer than it may be', async () => {
    await using mirror = await startUpstream()
    const lines = `${mirror.url}\n# a comment\n`
    await using list = await startUpstream({ files: { list: lines } })
    const access = accessTo(list.url, { feed: { kind: 'mirrorlist', url: new URL('list', list.url) } })
    await using exact = await startDownloadBench({ maxListSize: lines.length })
    await using less = await startDownloadBench({ maxListSize: lines.length - 1 })

    await exact.downloader.open(access, never)

    await expect(less.downloader.open(access, never)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { limit_bytes: lines.length - 1 },
    })
  })
})
