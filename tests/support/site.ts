import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { configuredRepository } from '../../src/app/configured.ts'
import type { AppContext } from '../../src/app/context.ts'
import type { PublishResult } from '../../src/app/publish/publish-result.ts'
import { publishSource } from '../../src/app/publish/publish-source.ts'
import { rollBack } from '../../src/app/publish/roll-back.ts'
import { createSnapshot } from '../../src/app/snapshot/create-snapshot.ts'
import { diffSources, type SourceDiff } from '../../src/app/snapshot/diff-sources.ts'
import { syncRepository } from '../../src/app/sync/sync-repository.ts'
import type { SyncResult } from '../../src/app/sync/sync-result.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import type { ProgressEvent } from '../../src/core/events.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext, type Surroundings } from '../../src/open-context.ts'
import { generateSigningKey } from '../../src/sign/openpgp.ts'

/** A section or value of a configuration. JSON is YAML, so it is written as it is. */
type Section = { readonly [key: string]: unknown }

export interface SiteOptions {
  /** What the configuration's `repositories` list. */
  readonly repositories: readonly Section[]
  /** Further sections: `signing`, `download`, `publish`, `limits`, ... */
  readonly sections?: Section
  /** Files beside the configuration, for it to name: keys, certificates. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Default: a SQLite file in the folder. */
  readonly database?: URL
  /** Default: the system's clock. */
  readonly now?: () => Date
  /** @see Surroundings.wait */
  readonly wait?: Surroundings['wait']
  readonly reached?: Surroundings['reached']
}

/**
 * A whole installation in a folder of its own, made of the real parts: a configuration file, loaded as the program loads it; catalog, pool,
 * downloader, publications, keys. Methods are the use cases that the command line runs.
 *
 *     await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
 *     await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
 *     await site.sync('demo')
 *     await site.publish('demo')
 *     await readTree(site.published('repositories/demo/latest'))
 */
export interface Site extends AsyncDisposable {
  /** Readable by other users, so that a web server may serve what is published. */
  readonly folder: string
  readonly context: AppContext
  /** All that was reported so far. */
  readonly events: readonly ProgressEvent[]
  /** Messages of the warnings with this code. */
  warnings(code: string): readonly string[]
  /** Whatever comes of it: a failure is in the result. */
  trySync(id: string, options?: { readonly force?: boolean }, signal?: AbortSignal): Promise<SyncResult>
  /** @throws the error of a sync that failed */
  sync(id: string, options?: { readonly force?: boolean }): Promise<SyncResult>
  /** @param source `ID`, `ID@SNAPSHOT` */
  publish(source: string, options?: { readonly force?: boolean }): Promise<PublishResult>
  /** @param source `ID@NAME` */
  snapshot(source: string): Promise<void>
  diff(from: string, to?: string): Promise<SourceDiff>
  /** To the generation before. @param path as `repositories/demo/latest` */
  rollBack(path: string): Promise<PublishResult>
  /** Absolute, of what clients see at a published path. */
  published(path: string): string
  /** Closes everything and opens it again, as a later run of the program would, with another configuration if one is given. */
  reopen(options?: Partial<Pick<SiteOptions, 'repositories' | 'sections' | 'files'>>): Promise<void>
}

export async function openSite(options: SiteOptions): Promise<Site> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'chantal-site-')))
  await chmod(folder, 0o755)
  const site = new TestSite(folder, options)
  try {
    await site.reopen()
    return site
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

const signal = new AbortController().signal

class TestSite implements Site {
  readonly folder: string
  readonly events: ProgressEvent[] = []
  #options: SiteOptions
  #context: (AppContext & AsyncDisposable) | null = null

  constructor(folder: string, options: SiteOptions) {
    this.folder = folder
    this.#options = options
  }

  get context(): AppContext {
    if (!this.#context) throw new Error('the site is closed')
    return this.#context
  }

  async reopen(changes: Partial<SiteOptions> = {}): Promise<void> {
    await this.#context?.[Symbol.asyncDispose]()
    this.#context = null
    this.#options = { ...this.#options, ...changes }
    const {
      repositories,
      sections = {},
      files = {},
      database,
      now = () => new Date(),
      wait,
      reached,
    } = this.#options
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true })
      await writeFile(join(this.folder, name), content)
    }
    const document = {
      storage: { base_path: 'data' },
      ...(database && { database: { url: database.href } }),
      ...sections,
      repositories,
    }
    await writeFile(join(this.folder, 'config.yaml'), JSON.stringify(document, null, 2))
    const { settings } = await loadConfiguration({
      file: 'config.yaml',
      environment: {},
      home: null,
      workingFolder: this.folder,
      ecosystems,
      now: now(),
    })
    this.#context = await openContext(settings, {
      reporter: { report: (event) => this.events.push(event) },
      now,
      version: 'test',
      wait,
      reached,
    })
  }

  warnings(code: string): readonly string[] {
    return this.events.flatMap((event) =>
      event.type === 'warning' && event.code === code ? [event.message] : [],
    )
  }

  trySync(id: string, { force = false } = {}, cancellation = signal): Promise<SyncResult> {
    const settings = configuredRepository(this.context.settings, id)
    return syncRepository(this.context, { settings, force, dryRun: false }, cancellation)
  }

  async sync(id: string, options?: { readonly force?: boolean }): Promise<SyncResult> {
    const result = await this.trySync(id, options)
    if (result.cause) throw result.cause
    return result
  }

  publish(source: string, { force = false } = {}): Promise<PublishResult> {
    return publishSource(this.context, { source, as: null, force }, signal)
  }

  async snapshot(source: string): Promise<void> {
    await createSnapshot(this.context, { source, description: null, labels: {} }, signal)
  }

  diff(from: string, to?: string): Promise<SourceDiff> {
    return diffSources(this.context, { from, to: to ?? null }, signal)
  }

  rollBack(path: string): Promise<PublishResult> {
    return rollBack(this.context, { path, generation: null }, signal)
  }

  published(path: string): string {
    return join(this.context.settings.storage.publishedPath, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context?.[Symbol.asyncDispose]()
    this.#context = null
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Every file below a folder that may be a link itself: SHA-256 by relative path, in order of paths. */
export async function readTree(folder: string): Promise<ReadonlyMap<string, string>> {
  const root = await realpath(folder)
  const digests = new Map<string, string>()
  for (const name of await filesBelow(root)) {
    const hash = createHash('sha256').update(await readFile(join(root, name)))
    digests.set(name, hash.digest('hex'))
  }
  return digests
}

/** Relative paths, in order. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).sort()
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))))
  return names.filter((_, index) => stats[index]?.isFile())
}

type SigningKey = Awaited<ReturnType<typeof generateSigningKey>>

let key: Promise<SigningKey> | null = null

/** A key to sign with, valid since yesterday; the same one for all tests of a process. */
export function signingKey(): Promise<SigningKey> {
  key ??= generateSigningKey({
    name: 'Tests',
    email: 'tests@example.org',
    now: new Date(Date.now() - 24 * 60 * 60 * 1000),
  })
  return key
}

/** Serves a folder at a port that metadata names. For everything else there is `startUpstream`. */
export async function serveFolder(folder: string, port: number): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    readFile(join(folder, decodeURIComponent(pathname))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
