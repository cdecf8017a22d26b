import { describe, expect, it } from 'vitest'
import { accessTo, promiseOf, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'
import { type Behaviour, startUpstream } from '../../tests/upstream/upstream.ts'

const never = new AbortController().signal
const content = Array.from({ length: 300_000 }, (_, n) => `line ${n}\n`).join('')
const half = content.length / 2

/** Cuts the first answer in the middle. */
const breaksOnce: Behaviour = { kind: 'truncated', after: half, times: 1 }

describe('a transfer that breaks', () => {
  it.each([
    ['strong ETag', 'strong', /^"/],
    ['date, where the ETag is weak', 'weak', / GMT$/],
    ['date, where there is no ETag', 'none', / GMT$/],
  ] as const)('resumes where it broke, on the condition of a %s', async (_, etags, condition) => {
    await using upstream = await startUpstream({ files: { file: content }, etags })
    upstream.behave('file', breaksOnce)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('file', promiseOf(content)), null, never)

    expect(await bench.read(result)).toBe(content)
    expect(upstream.requests).toMatchObject([
      { status: 200 },
      { status: 206, headers: { range: `bytes=${half}-`, 'if-range': expect.stringMatching(condition) } },
    ])
  })

  it('resumes where nobody knew the size before', async () => {
    await using upstream = await startUpstream({ files: { file: content } })
    upstream.behave('file', breaksOnce)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const { checksums } = promiseOf(content)

    const result = await client.fetch(wantedFile('file', { checksums }), null, never)

    expect(await bench.read(result)).toBe(content)
    expect(upstream.requests.at(-1)).toMatchObject({ status: 206, headers: { range: `bytes=${half}-` } })
  })

  it('resumes after a restart, at another mirror too', async () => {
    await using first = await startUpstream({ files: { file: content } })
    await using second = await startUpstream({ files: { file: content } })
    first.behave('file', { kind: 'truncated', after: half })
    await using bench = await startDownloadBench()
    const file = wantedFile('file', promiseOf(content))
    const before = await bench.downloader.open(accessTo(first.url, { limits: { retries: 0 } }), never)
    await expect(before.fetch(file, null, never)).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' })

    await bench.restart()
    const after = await bench.downloader.open(accessTo(second.url), never)
    const result = await after.fetch(file, null, never)

    expect(await bench.read(result)).toBe(content)
    expect(second.requests).toMatchObject([{ status: 206, headers: { range: `bytes=${half}-` } }])
  })

  it('keeps what arrived when it is aborted', async () => {
    await using upstream = await startUpstream({ files: { file: content } })
    upstream.behave('file', { kind: 'stalled', after: half, times: 1 })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const file = wantedFile('file', promiseOf(content))
    const abort = new AbortController()
    const failing = client.fetch(file, null, abort.signal)
    setTimeout(() => abort.abort(new Error('enough')), 200)
    await expect(failing).rejects.toThrow('enough')

    await client.fetch(file, null, never)

    expect(upstream.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
  })

  it.each<[string, Behaviour]>([
    ['ignores ranges', { kind: 'no-ranges' }],
    ['answers another range', { kind: 'wrong-range', times: 1 }],
    ['answers 416', { kind: 'unsatisfiable-range', times: 1 }],
  ])('starts over at a server that %s', async (_, behaviour) => {
    await using upstream = await startUpstream({ files: { file: content } })
    upstream.behave('file', breaksOnce, behaviour)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('file', promiseOf(content)), null, never)

    expect(await bench.read(result)).toBe(content)
    expect(upstream.requests[1]?.headers.range).toBe(`bytes=${half}-`)
  })

  it('starts over where the file was replaced in between', async () => {
    const replaced = content.replace('line 1\n', 'LINE 1\n')
    await using upstream = await startUpstream({ files: { file: content } })
    upstream.behave('file', { kind: 'truncated', after: half })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url, { limits: { retries: 0 } }), never)
    const file = wantedFile('file', promiseOf(replaced))
    await expect(client.fetch(file, null, never)).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' })
    await bench.restart()
    upstream.behave('file')
    upstream.put('file', replaced)
    const again = await bench.downloader.open(accessTo(upstream.url, { limits: { retries: 0 } }), never)

    const result = await again.fetch(file, null, never)

    expect(await bench.read(result)).toBe(replaced)
    expect(upstream.requests.map((request) => request.status)).toEqual([200, 206, 200])
  })

  it('asks for nothing where everything had arrived before the process ended', async () => {
    await using upstream = await startUpstream({ files: { file: content } })
    upstream.behave('file', { kind: 'truncated', after: half })
    await using bench = await startDownloadBench()
    const { checksums, size } = promiseOf(content.slice(0, half))
    const longer = wantedFile('file', { checksums, size: content.length })
    const exact = wantedFile('file', { checksums, size: size ?? 0 })
    const client = await bench.downloader.open(accessTo(upstream.url, { limits: { retries: 0 } }), never)
    await expect(client.fetch(longer, null, never)).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' })
    upstream.forgetRequests()

    const result = await client.fetch(exact, null, never)

    expect(await bench.read(result)).toBe(content.slice(0, half))
    expect(upstream.requests).toEqual([])
  })

  it('does not resume without a strong checksum', async () => {
    await using upstream = await startUpstream({ files: { file: content } })
    upstream.behave('file', breaksOnce)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)

    const result = await client.fetch(wantedFile('file', { size: content.length }), null, never)

    expect(await bench.read(result)).toBe(content)
    expect(upstream.requests.map((request) => request.headers.range)).toEqual([undefined, undefined])
  })

  it('lets two fetch the same bytes at once', async () => {
    await using upstream = await startUpstream({ files: { file: content } })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const file = wantedFile('file', promiseOf(content))

    const results = await Promise.all([client.fetch(file, null, never), client.fetch(file, null, never)])

    for (const result of results) expect(await bench.read(result)).toBe(content)
  })
})
