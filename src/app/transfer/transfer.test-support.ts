import { showDemo } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site, type SiteOptions } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import { openImportContext } from '../../open-import-context.ts'
import { exportCatalog } from './export-catalog.ts'
import { type ImportCatalogOutput, importCatalog, openFile } from './import-catalog.ts'

const signal = new AbortController().signal

export const repositoriesAt = (upstream: Upstream): SiteOptions['repositories'] => [
  { id: 'mirrored', type: 'rpm', feed: upstream.url },
  { id: 'generated', type: 'rpm', mode: 'filtered', feed: upstream.url },
]

/** Two repositories in two revisions, of which one is frozen, in a view too, with a sync that failed in between. */
export async function openSource(upstream: Upstream): Promise<Site> {
  const site = await openSite({ repositories: repositoriesAt(upstream) })
  for (const id of ['mirrored', 'generated']) await site.sync(id)
  await freeze(site)
  upstream.behave('repodata/repomd.xml', { kind: 'status', status: 403, times: 1 })
  await site.trySync('mirrored')
  showDemo(upstream, 'v2')
  for (const id of ['mirrored', 'generated']) await site.sync(id)
  return site
}

/** Each repository, and a view of both: one that is not configured does as well. */
async function freeze({ context: { catalog } }: Site): Promise<void> {
  const facts = {
    name: 'before',
    createdAt: new Date('2026-11-01T12:00:00Z'),
    createdBy: 'alice@mirror',
    description: '“before”',
    labels: { ticket: 'OPS-1' },
    isPinned: true,
  }
  await catalog.write(async (writer) => {
    const ids = (await writer.repositories()).map(({ id }) => id)
    for (const repository of ids) await writer.createSnapshot({ ...facts, repository, revision: 1 })
    const members = ids.map((repository) => ({ repository, revision: 1 }))
    await writer.createViewSnapshot({ ...facts, view: 'both', members })
  })
}

export async function exported(site: Site, ids: readonly string[] = [], as = 'json'): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const write = async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const chunk of bytes) chunks.push(chunk)
  }
  await exportCatalog(site.context, { ids, file: '-', as, write }, signal)
  return Buffer.concat(chunks)
}

export async function imported(site: Site, bytes: Uint8Array): Promise<ImportCatalogOutput> {
  await using context = await openImportContext(site.context.settings, { now: site.context.now })
  const result = await importCatalog(context, await openFile(inPieces(bytes), null), signal)
  await site.reopen()
  return result
}

/** As a file is read. */
export async function* inPieces(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += 10_000) yield bytes.subarray(start, start + 10_000)
}

export const reachable = ({ context }: Site) =>
  context.catalog.read((reader) => collect(reader.reachableBlobs()))

export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

export const linesOf = (bytes: Buffer) => bytes.toString().split('\n')
