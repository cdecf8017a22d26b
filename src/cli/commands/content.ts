import type { Command } from 'commander'
import type { FoundPackage } from '../../app/content/find-content.ts'
import { describeVerdict } from '../../core/package-signature.ts'
import { facts } from '../output.ts'
import type { Column } from '../render/table.ts'
import { formatBytes, formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'
import { packageColumns, packageDocument } from './package-rows.ts'

export function registerContent(program: Command, run: Run): void {
  const content = program.command('content').description('packages: list, search and show what is kept')

  content
    .command('list')
    .description('list the packages of a source')
    .argument('<source>', 'ID, ID@NAME or ID@20261101T000000Z')
    .argument('[pattern]', 'names or keys, as a shell pattern')
    .addHelpText('after', '\nExample: chantal content list epel9 "nginx*"\n')
    .action((source: string, pattern: string | undefined, _: object, command: Command) =>
      run(command, async (session) => {
        const { listContent } = await import('../../app/content/find-content.ts')
        const rows = await listContent(
          await session.catalogContext(),
          { source, pattern: pattern ?? null },
          session.signal,
        )
        session.output.list(rows, {
          columns: packageColumns,
          machine: packageDocument,
          empty: 'No package matches.',
        })
      }),
    )

  content
    .command('search')
    .description('find packages by name or key; a text without *, ? and [ is found anywhere in it')
    .argument('<pattern>')
    .argument('[source...]', 'where to look; without, everything that is kept')
    .addHelpText('after', '\nExample: chantal content search "openssl-libs*" epel9@2026-10 epel9@2026-11\n')
    .action((pattern: string, sources: readonly string[], _: object, command: Command) =>
      run(command, async (session) => {
        const { searchContent } = await import('../../app/content/find-content.ts')
        const rows = await searchContent(await session.catalogContext(), { pattern, sources }, session.signal)
        session.output.list(rows, {
          columns: foundColumns,
          machine: foundDocument,
          empty: 'No package matches.',
        })
      }),
    )

  content
    .command('show')
    .description('show everything that is known of a package')
    .argument('<package>', 'its key, its name, or the SHA-256 of a file')
    .addHelpText('after', '\nExample: chantal content show bash-0:5.1.8-9.el9.x86_64\n')
    .action((name: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { showPackage } = await import('../../app/content/find-content.ts')
        const found = await showPackage(await session.catalogContext(), { package: name }, session.signal)
        session.output.one(found.map(shownDocument), () =>
          found.flatMap((one, index) => [...(index > 0 ? [''] : []), ...packageFacts(one)]),
        )
      }),
    )
}

const foundColumns: readonly Column<FoundPackage>[] = [
  ...packageColumns.map(({ show, csv, ...column }) => ({
    ...column,
    show: (found: FoundPackage) => show(found.package),
    csv: (found: FoundPackage) => (csv ?? show)(found.package),
  })),
  { title: 'IN', show: (found) => found.in.join(', ') },
]

function foundDocument(found: FoundPackage): object {
  return { ...packageDocument(found.package), in: found.in }
}

/** The ecosystem's own attributes keep their spelling. */
function shownDocument(found: FoundPackage): object {
  const { files, builtAt, attributes } = found.package
  return {
    ...foundDocument(found),
    builtAt,
    files: files.map(({ path, size, digest }) => ({ path, sizeBytes: size, sha256: digest })),
    attributes: new Map(Object.entries(attributes)),
  }
}

function packageFacts(found: FoundPackage): readonly string[] {
  const { key, name, version, architecture, builtAt, files, repository, attributes } = found.package
  const entries: (readonly [string, string | number | null])[] = [
    ['key', key],
    ['name', name],
    ['version', version],
    ['architecture', architecture],
    ['repository', repository],
    ['in', found.in.join(', ')],
    ['built', builtAt && formatTime(builtAt)],
  ]
  for (const { path, size, digest } of files)
    entries.push(['file', path], ['size', formatBytes(size)], ['sha256', digest])
  const { signature } = found.package
  if (signature) entries.push(['signature', describeVerdict(signature.verdict)])
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue
    entries.push([attribute.replaceAll('_', ' '), typeof value === 'string' ? value : JSON.stringify(value)])
  }
  return facts(entries)
}
