import { type Command, Option } from 'commander'
import type { RepositoryView } from '../../app/repository/list-repositories.ts'
import type { SyncRepositoriesOutput } from '../../app/sync/sync-repositories.ts'
import type { SyncResult } from '../../app/sync/sync-result.ts'
import type { SyncRecord } from '../../catalog/catalog-records.ts'
import { facts } from '../output.ts'
import { firstOf } from '../render/first-of.ts'
import type { Column } from '../render/table.ts'
import { count, formatBytes, formatDuration, formatTime } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'
import {
  addSelection,
  ecosystemNamed,
  positiveInteger,
  type SelectionOptions,
  selectionOf,
} from '../selection-options.ts'
import type { Session } from '../session.ts'

export function registerRepository(program: Command, run: Run): void {
  const repo = program
    .command('repo')
    .description('repositories: list them, sync them from upstream, see their history')

  repo
    .command('list')
    .description('list the configured repositories')
    .argument('[pattern]', 'ids to list, as a shell pattern')
    .option('--type <ecosystem>', 'of this ecosystem only')
    .addHelpText('after', '\nExample: chantal repo list "el9-*" --json\n')
    .action((pattern: string | undefined, options: { type?: string }, command: Command) =>
      run(command, async (session) => {
        const { listRepositories } = await import('../../app/repository/list-repositories.ts')
        const type = options.type === undefined ? null : await ecosystemNamed(session, options.type)
        const input = { type, pattern: pattern ?? null }
        const rows = await listRepositories(await session.catalogContext(), input, session.signal)
        session.output.list(rows, { columns: repositoryColumns, empty: 'No repository is configured.' })
      }),
    )

  repo
    .command('show')
    .description('show one repository: its settings, its latest revision, who signs, where it is published')
    .argument('<id>')
    .addHelpText('after', '\nExample: chantal repo show epel9\n')
    .action((id: string, _: object, command: Command) => run(command, (session) => show(session, id)))

  addSelection(repo.command('sync'))
    .description('bring repositories up to date with their upstream')
    .option('--dry-run', 'show what would change, and fetch metadata only')
    .option('--force', 'read upstream even where it says that nothing changed')
    .option('--publish', 'publish each repository that is in order afterwards')
    .addOption(new Option('--workers <n>', 'repositories at once').argParser(positiveInteger).default(2))
    .addHelpText('after', '\nExample: chantal repo sync --all --publish\n')
    .action((ids: readonly string[], options: SyncOptions, command: Command) =>
      run(command, (session) => sync(session, ids, options)),
    )

  addSelection(repo.command('check-updates'))
    .description('show what a sync would change: the same as sync --dry-run')
    .addOption(new Option('--workers <n>', 'repositories at once').argParser(positiveInteger).default(2))
    .addHelpText('after', '\nExample: chantal repo check-updates epel9\n')
    .action((ids: readonly string[], options: SyncOptions, command: Command) =>
      run(command, (session) => sync(session, ids, { ...options, dryRun: true })),
    )

  repo
    .command('history')
    .description('list past syncs, newest first')
    .argument('[id...]')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(positiveInteger).default(20))
    .addHelpText('after', '\nExample: chantal repo history epel9 --limit 5\n')
    .action((ids: readonly string[], options: { limit: number }, command: Command) =>
      run(command, async (session) => {
        const { syncHistory } = await import('../../app/repository/list-repositories.ts')
        const rows = await syncHistory(
          await session.catalogContext(),
          { ids, limit: options.limit },
          session.signal,
        )
        session.output.list(rows, {
          columns: historyColumns,
          empty: 'Nothing has been synced or uploaded yet.',
        })
      }),
    )
}

interface SyncOptions extends SelectionOptions {
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly publish?: boolean
  readonly workers: number
}

async function sync(session: Session, ids: readonly string[], options: SyncOptions): Promise<void> {
  const { syncRepositories, overallError } = await import('../../app/sync/sync-repositories.ts')
  const selection = await selectionOf(session, ids, options)
  const output = await syncRepositories(
    await session.context(),
    {
      ...selection,
      force: options.force ?? false,
      dryRun: options.dryRun ?? false,
      publish: options.publish ?? false,
      workers: options.workers,
    },
    session.signal,
  )
  const { repositories, published, unpublished } = output
  const document = {
    repositories: repositories.map(syncDocument),
    ...(options.publish
      ? { published, unpublished: unpublished.map(({ id, error }) => ({ id, error })) }
      : {}),
  }
  session.output.one(
    document,
    () => [
      ...repositories.flatMap((result) => syncLines(result)),
      ...published.map(
        ({ path, generation, unchanged }) =>
          `published ${path}${unchanged ? ' (unchanged)' : ` as ${generation}`}`,
      ),
      ...unpublished.map(({ id }) => `${id}: not published`),
    ],
    document.repositories,
  )
  const error = overallError(output)
  if (!error) {
    suggestPublishing(session, output, options)
    return
  }
  for (const { id, cause } of [...repositories, ...unpublished]) {
    if (cause) session.showError(cause, id)
  }
  if (repositories.length > 1) session.showError(error)
  throw new ShownFailure(error)
}

function suggestPublishing(
  session: Session,
  { repositories }: Pick<SyncRepositoriesOutput, 'repositories'>,
  { publish, dryRun }: SyncOptions,
): void {
  const ids = repositories.filter(({ status }) => status === 'synced').map(({ id }) => id)
  if (publish || dryRun || ids.length === 0) return
  session.suggest(`To let clients have it: \`chantal publish repo ${ids.join(' ')}\`.`)
}

/** For machines: with the plan where there is one, without what is only for the program. */
function syncDocument({ id, status, cause: _, plan, ...result }: SyncResult): object {
  return {
    id,
    status,
    ...result,
    plan: plan && {
      added: plan.plan.added.map(({ key }) => key),
      removed: plan.plan.removed,
      replaced: plan.plan.replaced.map(({ key }) => key),
      fetchFiles: plan.files,
      fetchBytes: plan.bytes,
      diskLeftBytes: plan.diskLeftBytes,
    },
  }
}

function syncLines(result: SyncResult): readonly string[] {
  const { id, status, plan, missing, cause } = result
  const changes = `${result.added} added, ${result.removed} removed, ${result.replaced} replaced`
  const missed = missing.map(({ path, reason }) => [`  missing: ${path} (${reason})`])
  if (cause) return [`${id}: ${status} (${cause.code})`, ...firstOf(missed).flat()]
  if (plan) {
    return [
      `${id}: would change: ${changes}`,
      ...firstOf(plan.plan.added.map(({ key }) => [`  + ${key}`])).flat(),
      ...firstOf(plan.plan.removed.map((key) => [`  - ${key}`])).flat(),
      ...firstOf(plan.plan.replaced.map(({ key }) => [`  ~ ${key}`])).flat(),
      `  to fetch: ${count(plan.files, 'file')}, ${formatBytes(plan.bytes)}; disk left after it: ${formatBytes(plan.diskLeftBytes)}`,
    ]
  }
  const fetched = `${count(result.fetchedFiles, 'file')} fetched, ${formatBytes(result.fetchedBytes)}`
  const state = `revision ${result.revision ?? '-'}, ${count(result.packages, 'package')}`
  const line =
    status === 'unchanged'
      ? `${id}: unchanged, ${state}`
      : `${id}: ${status}, ${state}; ${changes}; ${fetched}`
  return [line, ...firstOf(missed).flat()]
}

const packageRules = {
  require: 'required of every package',
  warn: 'checked, and missing or bad ones warned of',
  off: 'not checked',
}

async function show(session: Session, id: string): Promise<void> {
  const { showRepository } = await import('../../app/repository/list-repositories.ts')
  const details = await showRepository(await session.catalogContext(), { id }, session.signal)
  session.output.one(details, () => [
    ...facts([
      ['id', details.id],
      ['name', details.name],
      ['type', details.type],
      ['mode', details.mode],
      ['enabled', details.enabled ? 'yes' : 'no'],
      ['feed', details.feed],
      ['tags', details.tags.join(', ') || null],
      ['verified by', details.verifiedBy?.join(', ') ?? `nothing: upstream's metadata is not checked`],
      ['package signatures', details.packageSignatures && packageRules[details.packageSignatures]],
      ['upstream signed by', details.upstreamSignedBy],
      [
        'signed with',
        details.signedWith ?? (details.mode === 'mirror' ? "upstream's own signature" : 'nothing'),
      ],
      ['missing files', details.onMissing],
      ['revision', details.revision],
      ['packages', details.packages],
      ['size', formatBytes(details.sizeBytes)],
      [
        'last sync',
        details.lastSync ? `${formatTime(details.lastSync.at)} ${details.lastSync.status}` : 'never',
      ],
      ['last error', details.lastError ? `${details.lastError.code}: ${details.lastError.message}` : null],
      ['snapshots', details.snapshots.join(', ') || null],
      ['published', details.published.join(', ') || null],
    ]),
  ])
}

const repositoryColumns: readonly Column<RepositoryView>[] = [
  { title: 'ID', show: ({ id }) => id },
  { title: 'TYPE', show: ({ type }) => type },
  { title: 'MODE', spare: 2, show: ({ mode }) => mode },
  { title: 'ENABLED', spare: 1, show: ({ enabled }) => (enabled ? 'yes' : 'no') },
  { title: 'PACKAGES', align: 'right', show: ({ packages }) => String(packages) },
  {
    title: 'SIZE',
    align: 'right',
    show: ({ sizeBytes }) => formatBytes(sizeBytes),
    csv: ({ sizeBytes }) => sizeBytes,
  },
  {
    title: 'REVISION',
    align: 'right',
    spare: 3,
    show: ({ revision }) => String(revision ?? '-'),
    csv: ({ revision }) => revision,
  },
  {
    title: 'LAST SYNC',
    show: ({ lastSync }) => (lastSync ? `${formatTime(lastSync.at)} ${lastSync.status}` : 'never'),
    csv: ({ lastSync }) => lastSync?.at.toISOString() ?? null,
  },
  { title: 'FEED', spare: 4, show: ({ feed }) => feed ?? '-', csv: ({ feed }) => feed },
]

const historyColumns: readonly Column<SyncRecord>[] = [
  {
    title: 'STARTED',
    show: ({ startedAt }) => formatTime(startedAt),
    csv: ({ startedAt }) => startedAt.toISOString(),
  },
  { title: 'REPOSITORY', show: ({ repository }) => repository },
  { title: 'KIND', spare: 2, show: ({ kind }) => kind },
  { title: 'STATUS', show: ({ status }) => status },
  {
    title: 'REVISION',
    align: 'right',
    show: ({ revision }) => String(revision ?? '-'),
    csv: ({ revision }) => revision,
  },
  { title: 'ADDED', align: 'right', spare: 1, show: ({ added }) => String(added) },
  { title: 'REMOVED', align: 'right', spare: 2, show: ({ removed }) => String(removed) },
  { title: 'REPLACED', align: 'right', spare: 3, show: ({ replaced }) => String(replaced) },
  {
    title: 'FETCHED',
    spare: 5,
    align: 'right',
    show: ({ fetchedBytes }) => formatBytes(fetchedBytes),
    csv: ({ fetchedBytes }) => fetchedBytes,
  },
  {
    title: 'TOOK',
    spare: 4,
    align: 'right',
    show: ({ startedAt, finishedAt }) => formatDuration(finishedAt.getTime() - startedAt.getTime()),
    csv: ({ startedAt, finishedAt }) => finishedAt.getTime() - startedAt.getTime(),
  },
  {
    title: 'ERROR',
    spare: 9,
    show: ({ error }) => (error ? `${error.code}: ${error.message}` : ''),
    csv: ({ error }) => error?.code ?? null,
  },
]
