import type { Command } from 'commander'
import type { CopyPackagesInput, CopyResult } from '../../app/package/copy-packages.ts'
import type { RemoveResult } from '../../app/package/remove-packages.ts'
import type { UploadedFileResult, UploadResult } from '../../app/package/upload-packages.ts'
import { describeVerdict } from '../../core/package-signature.ts'
import { literalPattern } from '../../core/pattern.ts'
import { count } from '../render/units.ts'
import type { Run } from '../run.ts'
import type { Session } from '../session.ts'
import { packageDocument } from './package-rows.ts'

export function registerPackage(program: Command, run: Run): void {
  const packages = program
    .command('package')
    .description('packages of hosted repositories: upload, remove, copy and move them')

  packages
    .command('upload')
    .description('add packages to a hosted repository: all of them in one revision, or none')
    .argument('<path...>', 'package files, or folders of them')
    .requiredOption('--repo <id>', 'the hosted repository')
    .option('--suite <suite>', 'the suite, where the repository has several; otherwise its first')
    .option('--component <component>', 'the component, where the repository has some; otherwise its first')
    .option('--recursive', 'look in folders within folders too')
    .option('--force', 'replace packages that the repository holds with other bytes')
    .addHelpText('after', '\nExample: chantal package upload build/*.rpm --repo tools\n')
    .action((paths: readonly string[], options: UploadOptions, command: Command) =>
      run(command, (session) => upload(session, paths, options)),
    )

  packages
    .command('remove')
    .description('remove packages from a hosted repository; snapshots keep them')
    .argument('<id>', 'the hosted repository')
    .argument('<package...>', 'keys or names as `content list` shows them, or shell patterns')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show what would be removed')
    .addHelpText('after', '\nExample: chantal package remove tools "hello-0:1.0-*" --yes\n')
    .action((id: string, patterns: readonly string[], options: RemoveOptions, command: Command) =>
      run(command, (session) => remove(session, { repository: id, packages: patterns }, options)),
    )

  const transfers = [
    {
      name: 'copy',
      description: 'add packages of another repository to a hosted one, all in one revision or none',
      from: 'where they are: ID, ID@NAME or ID@20261101T000000Z',
      example: 'chantal package copy epel9 "nginx*" --to tools',
    },
    {
      name: 'move',
      description: 'move packages from one hosted repository to another; snapshots keep them',
      from: 'the hosted repository that they leave',
      example: 'chantal package move testing hello-0:1.0-1.x86_64 --to stable',
    },
  ] as const
  for (const { name, description, from, example } of transfers) {
    packages
      .command(name)
      .description(description)
      .argument('<id>', from)
      .argument('<package...>', 'keys or names as `content list` shows them, or shell patterns')
      .requiredOption('--to <id>', 'the hosted repository that they come to')
      .option('--suite <suite>', 'the suite there, where it has several; otherwise its first')
      .option('--component <component>', 'the component there, where it has some; otherwise its first')
      .option('--force', 'replace packages that it holds with other bytes')
      .option('--dry-run', 'only show what would come of it')
      .addHelpText('after', `\nExample: ${example}\n`)
      .action((id: string, patterns: readonly string[], options: CopyOptions, command: Command) =>
        run(command, (session) =>
          copy(session, { from: id, packages: patterns, move: name === 'move' }, options),
        ),
      )
  }
}

interface UploadOptions {
  readonly repo: string
  readonly suite?: string
  readonly component?: string
  readonly recursive?: boolean
  readonly force?: boolean
}

interface CopyOptions {
  readonly to: string
  readonly suite?: string
  readonly component?: string
  readonly force?: boolean
  readonly dryRun?: boolean
}

interface RemoveOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

async function upload(session: Session, paths: readonly string[], options: UploadOptions): Promise<void> {
  const { findPackageFiles } = await import('../../app/package/find-package-files.ts')
  const { uploadPackages } = await import('../../app/package/upload-packages.ts')
  const context = await session.context()
  const { repo: repository, suite = null, component = null, recursive = false, force = false } = options
  const files = await findPackageFiles(context, { repository, paths, recursive }, session.signal)
  const input = { repository, files, suite, component, force }
  const result = await uploadPackages(context, input, session.signal)
  const documents = result.uploaded.map(uploadedDocument)
  session.output.one({ ...result, uploaded: documents }, () => uploadLines(result), documents)
  session.suggest(`To let clients have it: \`chantal publish repo ${repository}\`.`)
}

async function remove(
  session: Session,
  wanted: { readonly repository: string; readonly packages: readonly string[] },
  options: RemoveOptions,
): Promise<void> {
  const { removePackages } = await import('../../app/package/remove-packages.ts')
  const context = await session.context()
  let result = await removePackages(context, { ...wanted, dryRun: true }, session.signal)
  if (!options.dryRun) {
    const what = count(result.removed.length, 'package')
    await session.confirm(`remove ${what} from ${wanted.repository}`, options.yes)
    // Exactly what was asked about: a pattern may match more by now.
    const packages = result.removed.map(({ key }) => literalPattern(key))
    result = await removePackages(context, { ...wanted, packages, dryRun: false }, session.signal)
  }
  const removed = result.removed.map(packageDocument)
  session.output.one({ ...result, removed }, () => removeLines(result), removed)
  if (result.done) session.suggest(`To take it from clients: \`chantal publish repo ${wanted.repository}\`.`)
}

async function copy(
  session: Session,
  wanted: Pick<CopyPackagesInput, 'from' | 'packages' | 'move'>,
  options: CopyOptions,
): Promise<void> {
  const { to, suite = null, component = null, force = false, dryRun = false } = options
  const { copyPackages } = await import('../../app/package/copy-packages.ts')
  const input = { ...wanted, to, suite, component, force, dryRun }
  const result = await copyPackages(await session.context(), input, session.signal)
  const copied = result.copied.map(copiedDocument)
  session.output.one({ ...result, copied }, () => copyLines(result, wanted.move), copied)
  if (!result.done) return
  const changed = wanted.move ? `${wanted.from} ${to}` : to
  session.suggest(`To let clients see it: \`chantal publish repo ${changed}\`.`)
}

function copiedDocument({ label, status, package: pkg }: CopyResult['copied'][number]): object {
  return { from: label, status, ...packageDocument(pkg) }
}

function copyLines(result: CopyResult, isMove: boolean): readonly string[] {
  const { from, repository, revision, packages, copied, leftRevision, done } = result
  const left = leftRevision === null ? '' : `; removed from ${from}, revision ${leftRevision}`
  const line = done
    ? `${tally(copied)}; revision ${revision}, ${count(packages, 'package')}${left}`
    : `would be ${tally(copied)}${isMove ? `, and ${copied.length} removed from ${from}` : ''}`
  return [`${from} -> ${repository}: ${line}`, ...copied.map(packageLine)]
}

function uploadedDocument({ file, status, package: pkg }: UploadedFileResult): object {
  return { file, status, ...packageDocument(pkg) }
}

const marks = { added: '+', replaced: '~', unchanged: '=' } as const

type Added = Pick<UploadedFileResult, 'status' | 'package'>

function uploadLines({ repository, revision, packages, uploaded }: UploadResult): readonly string[] {
  return [
    `${repository}: ${tally(uploaded)}; revision ${revision}, ${count(packages, 'package')}`,
    ...uploaded.map(packageLine),
  ]
}

/** `2 added, 0 replaced, 1 unchanged` */
function tally(added: readonly Added[]): string {
  const statuses = ['added', 'replaced', 'unchanged'] as const
  return statuses
    .map((wanted) => `${added.filter(({ status }) => status === wanted).length} ${wanted}`)
    .join(', ')
}

function packageLine({ status, package: { key, signature } }: Added): string {
  const verdict = signature ? ` (${describeVerdict(signature.verdict)})` : ''
  return `${marks[status]} ${key}${verdict}`
}

function removeLines({ repository, revision, packages, removed, done }: RemoveResult): readonly string[] {
  const what = `${count(removed.length, 'package')} ${done ? 'removed' : 'would be removed'}`
  const now = done ? `; revision ${revision}, ${count(packages, 'package')}` : ''
  return [`${repository}: ${what}${now}`, ...removed.map(({ key }) => `- ${key}`)]
}
