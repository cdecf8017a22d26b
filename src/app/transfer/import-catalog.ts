import { isDeepStrictEqual } from 'node:util'
import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { RepositoryRecord } from '../../catalog/catalog-records.ts'
import type { ByteSource } from '../../core/bytes.ts'
import { ChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { Pool } from '../../pool/pool.ts'
import { chooseExportFormat } from '../../transfer/export-format.ts'
import type { ExportItem, ExportItemOf } from '../../transfer/export-schema.ts'
import { type OpenedExport, openExport } from '../../transfer/read-export.ts'
import { decodeRepository } from './decode-items.ts'
import { dropLeftImports } from './drop-imports.ts'
import { encodeRepository } from './encode-repository.ts'
import type { ImportContext } from './import-context.ts'
import { importRepository } from './import-repository.ts'
import { importViewSnapshot, type ViewSnapshotImport } from './import-view-snapshot.ts'
import { ItemReader } from './item-reader.ts'

/** What became of one repository of an export. */
export type ImportResult = {
  readonly id: RepositoryId
  /** `unchanged`: it is there already, and equal; `refused`: there is another of that id. */
  readonly status: 'added' | 'unchanged' | 'refused'
  readonly revisions: number
  readonly snapshots: number
  /** Each once for each time it came or changed. */
  readonly packages: number
}

/** The shape of `db import --json`. */
export interface ImportCatalogOutput {
  readonly catalog: string
  /** Whether this catalog took over the id of the exported one. */
  readonly isCatalogTakenOver: boolean
  readonly repositories: readonly ImportResult[]
  readonly viewSnapshots: readonly ViewSnapshotImport[]
  /** Blobs that the pool does not have: until they are fetched, what needs them cannot be published, and garbage collection stops. */
  readonly missingBlobs: number
  readonly missingBytes: number
}

/**
 * Adds the repositories of an export, then snapshots of views. Each is added whole or not at all; one that is there already is left as it is. Where reading fails
 * midway, those before stay added, so the same can be imported again.
 * @throws ChantalError `IMPORT_INVALID`, `LEASE_HELD`, `POOL_UNMARKED`
 */
export async function importCatalog(
  context: ImportContext,
  { header, items }: OpenedExport,
  signal: AbortSignal,
): Promise<ImportCatalogOutput> {
  const { catalog } = context
  await using reader = new ItemReader(items)
  const idBefore = catalog.id
  const pool = await context.openPool(header.catalog)
  await dropLeftImports({ catalog, pool }, signal)
  const repositories: ImportResult[] = []
  const viewSnapshots: ViewSnapshotImport[] = []
  let missingBlobs = 0
  let missingBytes = 0
  let last: string | null = null
  while (true) {
    signal.throwIfAborted()
    const next = await reader.take()
    if (!next) break
    const { item, place } = next
    if (item.type === 'end') {
      if (item.repositories !== repositories.length)
        throw invalid(place, `${repositories.length} repositories, and should be ${item.repositories}`)
      if (item.view_snapshots !== viewSnapshots.length)
        throw invalid(
          place,
          `${viewSnapshots.length} snapshots of views, and should be ${item.view_snapshots}`,
        )
      continue
    }
    if (item.type === 'view_snapshot') {
      viewSnapshots.push(await importViewSnapshot(context, { item, place }, refusedOf(repositories)))
      continue
    }
    if (item.type === 'repository' && viewSnapshots.length > 0)
      throw invalid(place, 'a repository after snapshots of views')
    if (item.type !== 'repository') throw invalid(place, `a ${item.type} of no repository`)
    if (last !== null && item.id <= last) throw invalid(place, `repository ${item.id} after ${last}`)
    last = item.id
    const { missing, ...result } = await importOne(context, { item, reader, pool }, signal)
    repositories.push(result)
    missingBlobs += missing.blobs
    missingBytes += missing.bytes
  }
  const isCatalogTakenOver = catalog.id !== idBefore
  return {
    catalog: catalog.id,
    isCatalogTakenOver,
    repositories,
    viewSnapshots,
    missingBlobs,
    missingBytes,
  }
}

function refusedOf(repositories: readonly ImportResult[]): ReadonlySet<string> {
  return new Set(repositories.filter(({ status }) => status === 'refused').map(({ id }) => id))
}

interface Source {
  readonly item: ExportItemOf<'repository'>
  readonly reader: ItemReader
  readonly pool: Pool
}

async function importOne(context: ImportContext, source: Source, caller: AbortSignal) {
  const { catalog } = context
  const { id } = decodeRepository(source.item)
  await using lease = await catalog.acquire({
    resource: `repository:${id}`,
    mode: 'exclusive',
    purpose: `import ${id}`,
    waitMs: 0,
    signal: caller,
  })
  const held = await catalog.read((reader) => reader.repository(id))
  if (held?.latest) return await compareOne(context, held, source)
  const {
    missingBlobs: blobs,
    missingBytes: bytes,
    ...counts
  } = await importRepository(context, source, lease.signal)
  return { id, status: 'added' as const, ...counts, missing: { blobs, bytes } }
}

/** Its content counts: history, checkpoint and verdicts go on after an export. */
async function compareOne({ catalog }: ImportContext, held: RepositoryRecord, { item, reader }: Source) {
  const counts = { revisions: 0, snapshots: 0, packages: 0 }
  const isEqual = await catalog.read(async (now: CatalogReader) => {
    const here = contentOf(encodeRepository(now, held))
    let isEqualSoFar = isDeepStrictEqual(withoutNotes(item), (await here.next()).value)
    for await (const { item: theirs } of reader.ofRepository()) {
      if (theirs.type === 'revision') counts.revisions += 1
      if (theirs.type === 'snapshot') counts.snapshots += 1
      if (theirs.type === 'package') counts.packages += 1
      if (theirs.type === 'sync' || !isEqualSoFar) continue
      isEqualSoFar = isDeepStrictEqual(withoutNotes(theirs), (await here.next()).value)
    }
    return isEqualSoFar && (await here.next()).done === true
  })
  const status = isEqual ? ('unchanged' as const) : ('refused' as const)
  return { id: held.id, status, ...counts, missing: { blobs: 0, bytes: 0 } }
}

async function* contentOf(items: AsyncIterable<ExportItem>): AsyncGenerator<ExportItem> {
  for await (const item of items) if (item.type !== 'sync') yield withoutNotes(item)
}

function withoutNotes(item: ExportItem): ExportItem {
  if (item.type === 'repository') return { ...item, checkpoint: null }
  if (item.type !== 'package') return item
  const { signature: _, ...content } = item
  return content
}

/**
 * Reads the beginning of an export.
 * @param as `json`, `yaml.gz`, ...; `null` where its content tells
 * @throws ChantalError `IMPORT_INVALID`, `USAGE_INVALID`
 */
export function openFile(bytes: ByteSource, as: string | null): Promise<OpenedExport> {
  return openExport(bytes, as === null ? null : chooseExportFormat('-', as).document)
}

/** What an import that refused a repository or a snapshot ends with. */
export function refusal({ repositories, viewSnapshots }: ImportCatalogOutput): ChantalError | null {
  const refused = [...refusedOf(repositories)]
  const snapshots = viewSnapshots.filter(({ status }) => status === 'refused').map(({ source }) => source)
  if (refused.length + snapshots.length === 0) return null
  return new ChantalError(
    'ALREADY_EXISTS',
    `not imported, since the catalog has others of these names: ${[...refused, ...snapshots].join(', ')}`,
    {
      hint: 'Import them into a catalog of their own; nothing that is here is replaced.',
      details: { repositories: refused, view_snapshots: snapshots },
    },
  )
}

function invalid(place: string, message: string): ChantalError {
  return new ChantalError('IMPORT_INVALID', `${place}: ${message}`, { details: { place } })
}
