import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  accessTo,
  collect,
  promiseOf,
  startDownloadBench,
  threadInProcess,
  wantedFile,
} from '../../../tests/upstream/downloading.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { UpstreamFile } from '../../core/model.ts'
import type { DownloadOutcome } from '../downloader.ts'
import { waitByTimer } from '../retry.ts'
import type { StartedThread } from './download-thread.ts'
import { errorMessage, errorOf } from './messages.ts'

const never = new AbortController().signal
const times = (count: number, file: UpstreamFile) => Array.from({ length: count }, () => file)

describe('a list of files in another thread', () => {
  it('comes over whole, however long it is', async () => {
    const names = Array.from({ length: 6000 }, (_, n) => `files/${n}`)
    await using upstream = await startUpstream({
      files: Object.fromEntries(names.map((name) => [name, `content of ${name}`])),
    })
    await using bench = await startDownloadBench({}, 'another thread')
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const wanted = names.map((name) => wantedFile(name, promiseOf(`content of ${name}`)))

    const outcomes: DownloadOutcome[] = []
    for await (const outcome of client.fetchAll(wanted, never)) {
      // Who takes slowly is waited for.
      if (outcomes.length === 100) await sleep(50)
      outcomes.push(outcome)
    }

    expect(new Set(outcomes.map(({ file }) => file))).toEqual(new Set(wanted))
    expect(outcomes.every(({ ok, url, file }) => ok && url === `${upstream.url}${file.path}`)).toBe(true)
    const blobs = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.blob] : []))
    const stored = await bench.pool.keep(blobs)
    expect(stored.map(({ digest }) => digest)).toEqual(
      outcomes.map(({ file }) => file.expect.checksums[0]?.hex),
    )
  })

  it('goes to an absolute location, without the credentials of the feed', async () => {
    await using feed = await startUpstream({ files: { file: 'right' } })
    await using other = await startUpstream({ files: { file: 'right' } })
    await using bench = await startDownloadBench({}, 'another thread')
    const credentials = { kind: 'basic', username: 'alice', password: 's3cret' } as const
    const client = await bench.downloader.open(accessTo(feed.url, { credentials }), never)

    const wanted = [wantedFile('file'), wantedFile(new URL('file', other.url))]
    const outcomes = await collect(client.fetchAll(wanted, never))

    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true])
    expect(feed.requests[0]?.headers.authorization).toMatch(/^Basic /)
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('is fetched here where few are wanted, or few of them are small, and where a bandwidth is given', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    const start = () => {
      throw new Error('started a thread')
    }
    await using few = await startDownloadBench({ thread: { start } })
    await using limited = await startDownloadBench({ thread: { start, minFiles: 0 }, bandwidth: 1_000_000 })

    await using large = await startDownloadBench({ thread: { start, minFiles: 2 } })
    const client = await large.downloader.open(accessTo(upstream.url), never)
    const sizes = [2 ** 21, 2 ** 22, 1, 2 ** 21, 1]
    const outcomes = await collect(
      client.fetchAll(
        sizes.map((size) => wantedFile('file', { size })),
        never,
      ),
    )

    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2)
    for (const [bench, bandwidth] of [
      [few, null],
      [limited, null],
      [limited, 1_000_000],
    ] as const) {
      const client = await bench.downloader.open(accessTo(upstream.url, { limits: { bandwidth } }), never)
      expect(await collect(client.fetchAll(times(3, wantedFile('file')), never))).toHaveLength(3)
    }
  })

  it('ends with the reason of an abort while nothing arrives, and leaves nothing', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    upstream.behave('file', { kind: 'silent' })
    await using bench = await startDownloadBench({}, 'another thread')
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    const abort = new AbortController()
    const reason = new ChantalError('INTERRUPTED', 'enough')
    setTimeout(() => abort.abort(reason), 30)

    await expect(collect(client.fetchAll(times(20, wantedFile('file')), abort.signal))).rejects.toBe(reason)
    expect(await bench.pool.sweepTemporary({ ms: -1_000_000 })).toBe(0)
  })

  it.each(['client', 'downloader'])('ends when the %s is closed', async (what) => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    upstream.behave('file', { kind: 'silent' })
    await using bench = await startDownloadBench({}, 'another thread')
    const client = await bench.downloader.open(accessTo(upstream.url), never)
    setTimeout(() => (what === 'client' ? client : bench.downloader)[Symbol.asyncDispose](), 30)

    const failing = collect(client.fetchAll(times(20, wantedFile('file')), never))

    await expect(failing).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('passes on a mistake of ours as what it is', async () => {
    await using upstream = await startUpstream({ files: { file: 'x' } })
    await using bench = await startDownloadBench()
    const broken = Object.create(bench.pool, {
      receiveWhole: {
        value: () => {
          throw new TypeError('no such thing')
        },
      },
    })
    await using other = await startDownloadBench({ pool: broken }, 'another thread')
    const client = await other.downloader.open(accessTo(upstream.url), never)

    await expect(collect(client.fetchAll([wantedFile('file')], never))).rejects.toThrow('no such thing')
  })

  it('fails where the thread ends by itself, and frees what it had begun', async () => {
    await using upstream = await startUpstream({ files: { silent: 'x', file: 'x' } })
    upstream.behave('silent', { kind: 'silent' })
    let fail: (error: unknown) => void = () => {}
    await using bench = await startDownloadBench({ perHost: 2 })
    const start = (): StartedThread => ({
      ...threadInProcess({ pool: bench.pool, concurrency: 16, userAgent: 'chantal/test' }),
      onFailure: (report) => {
        fail = report
      },
    })
    await using other = await startDownloadBench({
      pool: bench.pool,
      perHost: 2,
      thread: { start, minFiles: 2 },
    })
    const client = await other.downloader.open(accessTo(upstream.url), never)

    const failing = collect(client.fetchAll(times(4, wantedFile('silent')), never))
    await expect.poll(() => upstream.requests.length).toBe(2)
    fail(new Error('out of memory'))

    await expect(failing).rejects.toThrow('out of memory')
    expect(await client.fetch(wantedFile('file'), null, never)).toMatchObject({ status: 'fetched' })
  })
})

describe('the bounds of requests', () => {
  it('hold over both threads, and neither waits for the other to end', async () => {
    await using upstream = await startUpstream({ files: { file: 'x'.repeat(1000) } })
    upstream.behave('file', { kind: 'slow', bytes: 500, pauseMs: 5 })
    await using bench = await startDownloadBench(
      { perHost: 3, now: Date.now, wait: waitByTimer },
      'another thread',
    )
    const open = () => bench.downloader.open(accessTo(upstream.url), never)
    const [list, single] = [await open(), await open()]

    let listed = 0
    const run = (async () => {
      for await (const { ok } of list.fetchAll(times(600, wantedFile('file')), never)) if (ok) listed += 1
    })()
    const between: number[] = []
    for (let count = 0; count < 3; count++) {
      await single.fetch(wantedFile('file'), null, never)
      between.push(listed)
    }
    await run

    expect(listed).toBe(600)
    expect(upstream.mostAtOnce).toBe(3)
    expect(between.at(-1)).toBeLessThan(600)
  })

  it('include the pause that a host asks for, in either thread', async () => {
    await using upstream = await startUpstream({ files: { file: 'x', other: 'x' } })
    upstream.behave('file', { kind: 'status', status: 429, headers: { 'retry-after': '7' }, times: 1 })
    await using bench = await startDownloadBench({}, 'another thread')
    const client = await bench.downloader.open(accessTo(upstream.url, { limits: { retries: 0 } }), never)

    const [outcome] = await collect(client.fetchAll([wantedFile('file')], never))
    await client.fetch(wantedFile('other'), null, never)

    expect(outcome?.ok).toBe(false)
    expect(bench.waits).toEqual([7000])
  })
})

describe('an error', () => {
  it('keeps what a user and a report of a bug need of it', () => {
    const cause = Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })
    const error = new ChantalError('UPSTREAM_UNREACHABLE', 'cannot fetch it', {
      hint: 'Try again.',
      details: { url: 'http://host/file', mirrors: ['a', 'b'] },
      cause,
    })

    const arrived = errorOf(structuredClone(errorMessage(error)))

    expect(isChantalError(arrived, 'UPSTREAM_UNREACHABLE')).toBe(true)
    expect(arrived).toMatchObject({
      message: error.message,
      hint: error.hint,
      details: error.details,
      stack: error.stack,
      cause: { message: 'connection reset', code: 'ECONNRESET', stack: cause.stack },
    })
  })

  it.each([new TypeError('a mistake'), 'a text'])('that is no user’s stays what it is: %s', (error) => {
    const arrived = errorOf(structuredClone(errorMessage(error)))

    expect(isChantalError(arrived)).toBe(false)
    expect(arrived.message).toMatch(/a mistake|a text/)
  })
})
