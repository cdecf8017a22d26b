import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import type { ByteSource } from '../../src/core/bytes.ts'
import { readWhole } from '../../src/core/bytes.ts'
import type { Expectation } from '../../src/core/digest.ts'
import { parseChecksum } from '../../src/core/digest.ts'
import { hasSystemCode } from '../../src/core/errors.ts'
import type { ProgressEvent } from '../../src/core/events.ts'
import type { UpstreamFile } from '../../src/core/model.ts'
import { parseRelativePath } from '../../src/core/path.ts'
import type {
  Downloader,
  DownloadLimits,
  FetchResult,
  UpstreamAccess,
} from '../../src/download/downloader.ts'
import { createDownloader, type DownloaderOptions } from '../../src/download/http-downloader.ts'
import type { StartedThread } from '../../src/download/thread/download-thread.ts'
import { type DownloadService, serveDownloads } from '../../src/download/thread/serve-downloads.ts'
import { FilesystemPool } from '../../src/pool/filesystem-pool.ts'
import type { Pool } from '../../src/pool/pool.ts'

/** A downloader on a pool without temporary files, and what it reported. Waits cost no time; they are noted. */
export interface DownloadBench extends AsyncDisposable {
  readonly downloader: Downloader
  readonly pool: Pool
  readonly events: readonly ProgressEvent[]
  /** In milliseconds, in order. The clock stands still but for them. */
  readonly waits: readonly number[]
  warnings(code: string): readonly string[]
  /** Another downloader on the same pool, as after a restart. */
  restart(): Promise<void>
  /** The bytes of what was fetched. */
  read(result: FetchResult): Promise<string>
}

/**
 * @param place where lists of files are downloaded. The other thread is this one, spoken to as if it were another: it shares the clock
 *   and the waits of the bench.
 */
export async function startDownloadBench(
  options: Partial<DownloaderOptions> = {},
  place: 'this thread' | 'another thread' = 'this thread',
): Promise<DownloadBench> {
  const pool = idlePools.pop() ?? (await createPool())
  const events: ProgressEvent[] = []
  const waits: number[] = []
  let now = Date.UTC(2026, 0, 1)
  const parts = {
    pool,
    concurrency: 16,
    perHost: 8,
    bandwidth: null,
    reporter: { report: (event: ProgressEvent) => events.push(event) },
    userAgent: 'chantal/test',
    maxListSize: 32 * 1024 ** 2,
    now: () => now,
    random: () => 0.5,
    wait: async (ms: number, signal: AbortSignal) => {
      signal.throwIfAborted()
      waits.push(ms)
      now += ms
    },
    ...options,
  }
  const thread = { start: () => threadInProcess(parts), minFiles: 0 }
  const create = () => createDownloader(place === 'this thread' ? parts : { thread, ...parts })
  let downloader = create()
  return {
    get downloader() {
      return downloader
    },
    pool,
    events,
    waits,
    warnings: (code) =>
      events.flatMap((event) => (event.type === 'warning' && event.code === code ? [event.message] : [])),
    async restart() {
      await downloader[Symbol.asyncDispose]()
      downloader = create()
    },
    async read(result) {
      if (result.status === 'unchanged') throw new Error('unchanged')
      await pool.keep([result.blob])
      return readText(pool.read(result.blob.digest))
    },
    async [Symbol.asyncDispose]() {
      await downloader[Symbol.asyncDispose]()
      await pool.sweepTemporary({ ms: Number.NEGATIVE_INFINITY })
      idlePools.push(pool)
    },
  }
}

/** What {@link DownloadBench} takes for another thread. */
export function threadInProcess(service: Omit<DownloadService, 'port'>): StartedThread {
  const { port1: here, port2: there } = new MessageChannel()
  serveDownloads({
    ...service,
    port: {
      post: (message) => there.postMessage(message),
      onMessage: (receive) => there.on('message', receive),
    },
  })
  return {
    port: {
      post: (message) => here.postMessage(message),
      onMessage: (receive) => here.on('message', receive),
    },
    onFailure: () => {},
    async [Symbol.asyncDispose]() {
      here.close()
    },
  }
}

/**
 * Pools that no bench uses at the moment. They are used again without their temporary files: making and removing the folders of one takes
 * longer than most tests, and blobs of other tests are nothing that a download could notice.
 */
const idlePools: FilesystemPool[] = []

async function createPool(): Promise<FilesystemPool> {
  if (idlePools.length === 0) removePoolsOfEndedProcesses()
  return FilesystemPool.create(mkdtempSync(path.join(tmpdir(), `${poolPrefix}${process.pid}-`)))
}

const poolPrefix = 'chantal-download-'

/** A test process is killed at its end, before it could tidy up: the next one does. */
function removePoolsOfEndedProcesses(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^(\d+)-/.exec(name.slice(poolPrefix.length))?.[1]
    if (!name.startsWith(poolPrefix) || pid === undefined || isAlive(Number(pid))) continue
    rmSync(path.join(tmpdir(), name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasSystemCode(error, 'ESRCH')
  }
}

/** Access to mirrors without anything special; `changes` replaces what a test is about. */
export function accessTo(
  urls: URL | readonly [URL, ...URL[]],
  changes: Partial<Omit<UpstreamAccess, 'limits'>> & { readonly limits?: Partial<DownloadLimits> } = {},
): UpstreamAccess {
  return {
    repository: 'test',
    feed: { kind: 'urls', urls: urls instanceof URL ? [urls] : urls },
    credentials: { kind: 'none' },
    proxy: { http: null, https: null, noProxy: [], username: null, password: null },
    tls: { verify: true, ca: null, certificate: null, key: null },
    ...changes,
    limits: {
      perHost: 8,
      retries: 2,
      timeoutMs: 5_000,
      stallTimeoutMs: 5_000,
      bandwidth: null,
      ...changes.limits,
    },
  }
}

/** A file that stands and is found under `location`, with nothing promised but what `expect` says. */
export function wantedFile(location: string | URL, expect: Partial<Expectation> = {}): UpstreamFile {
  const place = location instanceof URL ? location.pathname.slice(1) : location
  return {
    path: parseRelativePath(place),
    location,
    expect: { checksums: [], maxSize: 64 * 1024 * 1024, ...expect },
  }
}

/** What metadata that vouches for `content` would promise. */
export function promiseOf(content: string | Uint8Array): Expectation {
  const bytes = Buffer.from(content)
  const hex = createHash('sha256').update(bytes).digest('hex')
  return { size: bytes.byteLength, checksums: [parseChecksum('sha256', hex)], maxSize: 64 * 1024 * 1024 }
}

/** Everything that `items` yields, in order. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

async function readText(source: ByteSource): Promise<string> {
  return Buffer.from(await readWhole(source)).toString('utf8')
}
