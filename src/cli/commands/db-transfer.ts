import { type Command, Option } from 'commander'
import type { ImportCatalogOutput, ImportResult } from '../../app/transfer/import-catalog.ts'
import { count, formatBytes } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'
import type { Session } from '../session.ts'

export function registerTransfer(db: Command, run: Run): void {
  db.command('export')
    .description('write repositories with all their revisions, snapshots and history to a file')
    .argument(
      '<file>',
      'a name that ends in .json or .yaml, with .gz or .zst after it or not; - for standard output',
    )
    .argument('[id...]', 'ids of repositories, or shell patterns; otherwise all')
    .addOption(formatOption())
    .option('--force', 'replace the file where it is there')
    .addHelpText('after', '\nExample: chantal db export catalog.json.zst\n')
    .action((file: string, ids: readonly string[], options: TransferOptions, command: Command) =>
      run(command, (session) => exportTo(session, file, ids, options)),
    )

  db.command('import')
    .description('add the repositories of an export; those that are there already stay as they are')
    .argument('<file>', 'what `db export` wrote; - for standard input')
    .addOption(formatOption())
    .addHelpText('after', '\nExample: chantal db import catalog.json.zst\n')
    .action((file: string, options: TransferOptions, command: Command) =>
      run(command, (session) => importFrom(session, file, options)),
    )
}

interface TransferOptions {
  readonly as?: string
  readonly force?: boolean
}

function formatOption(): Option {
  return new Option('--as <format>', 'how it is written, whatever its name says').choices([
    'json',
    'yaml',
    'json.gz',
    'json.zst',
    'yaml.gz',
    'yaml.zst',
  ])
}

async function exportTo(
  session: Session,
  file: string,
  ids: readonly string[],
  { as, force = false }: TransferOptions,
): Promise<void> {
  const { exportCatalog } = await import('../../app/transfer/export-catalog.ts')
  const context = await session.catalogContext()
  if (file === '-') {
    const write = session.writeBytes.bind(session)
    await exportCatalog(context, { ids, file, as: as ?? 'json', write }, session.signal)
    return
  }
  const { writeWhole } = await import('../../app/transfer/files.ts')
  let sizeBytes = 0
  const result = await exportCatalog(
    context,
    {
      ids,
      file,
      as: as ?? null,
      write: async (bytes) => {
        sizeBytes = await writeWhole(file, force, bytes)
      },
    },
    session.signal,
  )
  const { repositories, revisions, snapshots, packages } = result
  session.output.one({ path: file, sizeBytes, ...result }, () => [
    `exported ${count(repositories, 'repository')} to ${file} (${formatBytes(sizeBytes)}): ${count(revisions, 'revision')}, ${count(snapshots, 'snapshot')}, ${count(packages, 'package')}`,
  ])
}

async function importFrom(session: Session, file: string, { as }: TransferOptions): Promise<void> {
  const { importCatalog, openFile, refusal } = await import('../../app/transfer/import-catalog.ts')
  const { readFile } = await import('../../app/transfer/files.ts')
  const bytes = file === '-' ? session.readBytes() : readFile(file)
  const opened = await openFile(bytes, as ?? null)
  await using context = await session.services.openImport(await session.settings())
  const result = await importCatalog(context, opened, session.signal)
  session.output.one(result, () => importLines(result), result.repositories)
  if (result.missingBlobs > 0)
    session.suggest('To fetch what the pool lacks: `chantal pool verify --repair`.')
  const error = refusal(result)
  if (!error) return
  session.showError(error)
  throw new ShownFailure(error)
}

function importLines(result: ImportCatalogOutput): readonly string[] {
  const { repositories, viewSnapshots, missingBlobs, missingBytes } = result
  return [
    ...(result.isCatalogTakenOver ? [`this catalog is ${result.catalog} now`] : []),
    ...repositories.map(repositoryLine),
    ...viewSnapshots.map(({ source, status }) => `${source}: ${statusOf(status)}`),
    ...(repositories.length === 0 ? ['The export holds no repository.'] : []),
    ...(missingBlobs > 0
      ? [`the pool lacks ${count(missingBlobs, 'blob')} of them (${formatBytes(missingBytes)})`]
      : []),
  ]
}

function repositoryLine({ id, status, revisions, snapshots, packages }: ImportResult): string {
  const holds = `${count(revisions, 'revision')}, ${count(snapshots, 'snapshot')}, ${count(packages, 'package')}`
  return `${id}: ${statusOf(status)}${status === 'added' ? ` (${holds})` : ''}`
}

function statusOf(status: ImportResult['status']): string {
  switch (status) {
    case 'added':
      return 'added'
    case 'unchanged':
      return 'is there already, and equal'
    case 'refused':
      return 'not imported, there is another'
  }
}
