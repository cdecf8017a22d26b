import path from 'node:path'
import type { Command } from 'commander'
import type { PublicationView } from '../../app/publish/list-publications.ts'
import type { PublishResult } from '../../app/publish/publish-result.ts'
import type { Column } from '../render/table.ts'
import { count, formatDuration, formatTime } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'
import { addSelection, type SelectionOptions, selectionOf } from '../selection-options.ts'
import type { Session } from '../session.ts'
import { snapshotSource } from '../source-argument.ts'

export function registerPublish(program: Command, run: Run): void {
  const publish = program.command('publish').description('publications: trees that clients install from')

  addSelection(publish.command('repo'))
    .description("publish repositories' latest revisions")
    .option('--force', 'make a generation even where nothing changed')
    .addHelpText('after', '\nExample: chantal publish repo epel9\n')
    .action((ids: readonly string[], options: SelectionOptions & { force?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { chooseRepositories } = await import('../../app/configured.ts')
        const chosen = chooseRepositories(await session.settings(), await selectionOf(session, ids, options))
        await publishAll(
          session,
          chosen.map(({ id }) => ({ source: id, as: null, force: options.force ?? false })),
        )
      }),
    )

  publish
    .command('snapshot')
    .description('publish a snapshot, or the revision of a moment')
    .argument('[source]', 'ID@NAME or ID@20261101T000000Z, of a repository or a view')
    .option('--repo-id <id>', 'the repository, where it is not in ID@NAME')
    .option('--view <name>', 'the view, where it is not in NAME@SNAPSHOT')
    .option('--snapshot <name>', "the snapshot's name, where it is not in ID@NAME")
    .option('--as <name>', 'publish it under another name, which moves between snapshots: production')
    .option('--force', 'make a generation even where nothing changed')
    .addHelpText('after', '\nExample: chantal publish snapshot epel9@2026-11 --as production\n')
    .action((source: string | undefined, options: SnapshotOptions, command: Command) =>
      run(command, (session) =>
        publishAll(session, [
          {
            source: snapshotSource(
              source,
              { repository: options.repoId, view: options.view, name: options.snapshot },
              '--snapshot',
            ),
            as: options.as ?? null,
            force: options.force ?? false,
          },
        ]),
      ),
    )

  publish
    .command('view')
    .description('publish views: the latest revisions of all their members as one tree')
    .argument('<name...>', 'names of views, or shell patterns')
    .option('--force', 'make a generation even where nothing changed')
    .addHelpText('after', '\nExample: chantal publish view el9\n')
    .action((names: readonly string[], options: { force?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { chooseViews } = await import('../../app/configured.ts')
        const chosen = chooseViews(await session.settings(), names)
        await publishAll(
          session,
          chosen.map(({ name }) => ({ source: name, as: null, force: options.force ?? false })),
        )
      }),
    )

  publish
    .command('list')
    .description('list what is published')
    .addHelpText('after', '\nExample: chantal publish list --json\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { listPublications } = await import('../../app/publish/list-publications.ts')
        const rows = await listPublications(await session.catalogContext(), {}, session.signal)
        session.output.list(rows, { columns: publicationColumns, empty: 'Nothing is published.' })
      }),
    )

  publish
    .command('rollback')
    .description('show clients an earlier generation again, and hold the path')
    .argument('<path>', 'as `publish list` shows it')
    .argument('[generation]', 'the one to go back to; without it the one before')
    .addHelpText('after', '\nExample: chantal publish rollback repositories/epel9/latest\n')
    .action((target: string, generation: string | undefined, _: object, command: Command) =>
      run(command, async (session) => {
        const { rollBack } = await import('../../app/publish/roll-back.ts')
        const result = await rollBack(
          await session.context(),
          { path: target, generation: generation ?? null },
          session.signal,
        )
        session.output.one([result], () => [
          `rolled back ${result.path} to ${result.sources.join(', ')} (generation ${result.generation})`,
          `It is held until \`chantal publish release ${result.path}\`.`,
        ])
      }),
    )

  publish
    .command('release')
    .description('let a path that was rolled back be published to again')
    .argument('<path>')
    .addHelpText('after', '\nExample: chantal publish release repositories/epel9/latest\n')
    .action((target: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { releasePublication } = await import('../../app/publish/roll-back.ts')
        const result = await releasePublication(await session.context(), { path: target }, session.signal)
        session.output.one(result, () => [
          result.wasHeld ? `released ${result.path}` : `${result.path} was not held`,
        ])
      }),
    )

  publish
    .command('unpublish')
    .description('take a publication away from clients; packages stay in the pool')
    .argument('<target>', 'a path as `publish list` shows it, or the source published there and at no other')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show what would be removed')
    .addHelpText('after', '\nExample: chantal publish unpublish repositories/epel9/snapshots/2026-01 --yes\n')
    .action((target: string, options: { yes?: boolean; dryRun?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { unpublish } = await import('../../app/publish/unpublish.ts')
        const context = await session.context()
        const preview = await unpublish(context, { target, dryRun: true }, session.signal)
        if (!options.dryRun) await session.confirm(`unpublish ${preview.path}`, options.yes)
        const result = options.dryRun
          ? preview
          : await unpublish(context, { target, dryRun: false }, session.signal)
        session.output.one(result, () => [
          `${result.removed ? 'unpublished' : 'would unpublish'} ${result.path} (${count(result.generations, 'generation')})`,
        ])
        if (result.removed) session.suggest('To free what only it held: `chantal pool gc`.')
      }),
    )

  publish
    .command('export')
    .description('write one exact tree of plain files, for media or for another place')
    .argument('<source>', 'ID, ID@NAME or ID@20261101T000000Z')
    .argument('<dir>', 'a folder that does not exist, or is empty')
    .addHelpText('after', '\nExample: chantal publish export epel9@2026-11 /mnt/usb/epel9\n')
    .action((source: string, folder: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { exportSource } = await import('../../app/publish/export-source.ts')
        const result = await exportSource(
          await session.context(),
          { source, target: path.resolve(folder) },
          session.signal,
        )
        session.output.one([result], () => [publishLine('exported', result)])
      }),
    )
}

interface SnapshotOptions {
  readonly repoId?: string
  readonly view?: string
  readonly snapshot?: string
  readonly as?: string
  readonly force?: boolean
}

interface PublishRequest {
  readonly source: string
  readonly as: string | null
  readonly force: boolean
}

async function publishAll(session: Session, requests: readonly PublishRequest[]): Promise<void> {
  const { publishSources, publishError } = await import('../../app/publish/publish-sources.ts')
  const output = await publishSources(await session.context(), requests, session.signal)
  const { published, unpublished } = output
  const error = publishError(output)
  // A document holds results or an error. The error of several names what was published all the same.
  if (error && (requests.length === 1 || session.output.format === 'json')) throw error
  session.output.one(published, () =>
    published.map((result) => publishLine(result.unchanged ? 'unchanged' : 'published', result)),
  )
  if (!error) return
  for (const { source, cause } of unpublished) session.showError(cause, source)
  session.showError(error)
  throw new ShownFailure(error)
}

function publishLine(verb: string, { path, packages, signedBy, durationMs, sources }: PublishResult): string {
  const signature = signedBy === null ? '' : `, signed by ${signedBy}`
  return `${verb} ${path}: ${sources.join(', ')}, ${count(packages, 'package')}${signature} (${formatDuration(durationMs)})`
}

const publicationColumns: readonly Column<PublicationView>[] = [
  { title: 'PATH', show: ({ path }) => path },
  {
    title: 'GENERATION',
    spare: 3,
    show: ({ generation }) => generation ?? '-',
    csv: ({ generation }) => generation,
  },
  { title: 'SOURCES', show: ({ sources }) => sources.join(' ') },
  { title: 'PACKAGES', align: 'right', spare: 2, show: ({ packages }) => String(packages) },
  {
    title: 'PUBLISHED',
    spare: 1,
    show: ({ publishedAt }) => (publishedAt ? formatTime(publishedAt) : '-'),
    csv: ({ publishedAt }) => publishedAt?.toISOString() ?? null,
  },
  { title: 'SIGNED BY', spare: 4, show: ({ signedBy }) => signedBy ?? '-', csv: ({ signedBy }) => signedBy },
  {
    title: 'HELD SINCE',
    show: ({ heldSince }) => (heldSince ? formatTime(heldSince) : '-'),
    csv: ({ heldSince }) => heldSince?.toISOString() ?? null,
  },
]
