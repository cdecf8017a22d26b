import type { ImportedHistory, OpenImport, PackageInterval } from '../../catalog/intervals.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { Ecosystem } from '../../ecosystems/ecosystem.ts'
import type { Pool } from '../../pool/pool.ts'
import type { ExportItemOf } from '../../transfer/export-schema.ts'
import { RepositoryChecker } from './check-repository.ts'
import {
  decodeFile,
  decodePackage,
  decodeRepository,
  decodeRevision,
  decodeSnapshot,
  decodeSync,
} from './decode-items.ts'
import { dropImport } from './drop-imports.ts'
import type { ImportContext } from './import-context.ts'
import { type ItemReader, placed } from './item-reader.ts'
import { RowWriter } from './row-writer.ts'

/** Of revisions, snapshots and history, which are kept until the end. */
const maxHistoryBytes = 256 * 1024 ** 2

export interface ImportedRepository {
  readonly revisions: number
  readonly packages: number
  readonly snapshots: number
  /** Blobs that the pool has not, though rows name them now. */
  readonly missingBlobs: number
  readonly missingBytes: number
}

/**
 * Adds one repository, which the catalog does not have. Rows come in batches and nobody sees them before the last step; where that is
 * not reached, they are removed. The caller holds the repository's lease.
 * @throws ChantalError `IMPORT_INVALID` with the place
 */
export async function importRepository(
  context: ImportContext,
  { item, reader, pool }: { item: ExportItemOf<'repository'>; reader: ItemReader; pool: Pool },
  signal: AbortSignal,
): Promise<ImportedRepository> {
  const { catalog } = context
  const repository = decodeRepository(item)
  const parts = { catalog, pool }
  await dropImport(parts, repository.id, signal)
  const open = await catalog.write((writer) => writer.openImport(repository))
  context.reached?.('import opened')
  try {
    const rows = new RowWriter(context, open, pool, signal)
    const history = await readRepository(reader, rows, { ...repository, ecosystems: context.ecosystems })
    await rows.flush()
    context.reached?.('rows imported')
    signal.throwIfAborted()
    await catalog.write((writer) => writer.sealImport(open, { ...history, checkpoint: item.checkpoint }))
    context.reached?.('import sealed')
    return {
      revisions: history.revisions.length,
      packages: rows.packages,
      snapshots: history.snapshots.length,
      missingBlobs: rows.missing.blobs,
      missingBytes: rows.missing.bytes,
    }
  } catch (error) {
    // Whoever took the repository over has dropped it.
    if (!isChantalError(signal.reason, 'LEASE_LOST')) await discard(parts, open)
    throw error
  }
}

/** What cannot be removed now, the next import or garbage collection removes; it must not hide why this one ended. */
async function discard(parts: Parameters<typeof dropImport>[0], { repository }: OpenImport): Promise<void> {
  try {
    await dropImport(parts, repository, new AbortController().signal)
  } catch (error) {
    if (!isChantalError(error)) throw error
  }
}

/** Gives rows to `rows` as they come, and the rest back. */
async function readRepository(
  reader: ItemReader,
  rows: RowWriter,
  {
    id,
    ecosystem,
    ecosystems,
  }: Pick<ImportContext, 'ecosystems'> & Pick<ReturnType<typeof decodeRepository>, 'id' | 'ecosystem'>,
): Promise<Omit<ImportedHistory, 'checkpoint'>> {
  const checker = new RepositoryChecker()
  const snapshots: ImportedHistory['snapshots'][number][] = []
  const syncs: ImportedHistory['syncs'][number][] = []
  let historyBytes = 0
  for await (const { item, place, size } of reader.ofRepository()) {
    placed(place, () => checker.checkKind(item.type))
    if (item.type === 'file') {
      const file = placed(place, () => decodeFile(item))
      placed(place, () => checker.addFile(file.file.path, file))
      await rows.addFile(file, size)
      continue
    }
    if (item.type === 'package') {
      const pkg = placed(place, () => decodePackage(item))
      placed(place, () => checkRecords(pkg, ecosystems.get(ecosystem)))
      placed(place, () => checker.addPackage(pkg.facts.key, pkg))
      await rows.addPackage(pkg, size)
      continue
    }
    historyBytes += size
    if (historyBytes > maxHistoryBytes)
      throw new ChantalError('IMPORT_INVALID', `${place}: more history than ${maxHistoryBytes} bytes`)
    placed(place, () => {
      if (item.type === 'revision') checker.addRevision(decodeRevision(item, id))
      else if (item.type === 'snapshot') {
        checker.addSnapshot(item.name, item.revision)
        snapshots.push(decodeSnapshot(item))
      } else syncs.push(decodeSync(item))
    })
  }
  // Asks for what comes next: an export that is cut off there must not be taken for a whole one.
  const next = await reader.peek()
  placed(next?.place ?? 'the end', () => checker.end())
  return { revisions: checker.revisions, snapshots, syncs }
}

/** Of an ecosystem that this version does not know nothing is published. */
function checkRecords({ facts, records }: PackageInterval, ecosystem: Ecosystem | undefined): void {
  for (const { part, bytes } of records) {
    const objection = ecosystem?.objectToRecord(part, bytes) ?? null
    if (objection !== null)
      throw new ChantalError('IMPORT_INVALID', `the native record ${part} of ${facts.key} is ${objection}`)
  }
}
