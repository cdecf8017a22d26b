import type { Command } from 'commander'
import type { RemoveResult } from '../../app/package/remove-packages.ts'
import type { UploadedFileResult, UploadResult } from '../../app/package/upload-packages.ts'
import { describeVerdict } from '../../core/package-signature.ts'
import { count } from '../render/units.ts'
import type { Run } from '../run.ts'
import type { Session } from '../session.ts'
import { packageDocument } from './package-rows.ts'

export function registerPackage(program: Command, run: Run): void {
  const packages = program
    .command('package')
    .description('packages of hosted repositories: upload and remove them')

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
    .addHelpText('after', '\nExample: chantal package remove tools "hello-1.0-*" --yes\n')
    .action((id: string, patterns: readonly string[], options: RemoveOptions, command: Command) =>
      run(command, (session) => remove(session, { repository: id, packages: patterns }, options)),
    )
}

interface UploadOptions {
  readonly repo: string
  readonly suite?: string
  readonly component?: string
  readonly recursive?: boolean
  readonly force?: boolean
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
    const packages = result.removed.map(({ key }) => exactly(key))
    result = await removePackages(context, { ...wanted, packages, dryRun: false }, session.signal)
  }
  const removed = result.removed.map(packageDocument)
  session.output.one({ ...result, removed }, () => removeLines(result), removed)
  if (result.done) session.suggest(`To take it from clients: \`chantal publish repo ${wanted.repository}\`.`)
}

/** As a shell pattern that matches nothing else. */
const exactly = (key: string) => key.replaceAll(/[*?[]/g, '[$&]')

function uploadedDocument({ file, status, package: pkg }: UploadedFileResult): object {
  return { file, status, ...packageDocument(pkg) }
}

const marks = { added: '+', replaced: '~', unchanged: '=' } as const

function uploadLines({ repository, revision, packages, uploaded }: UploadResult): readonly string[] {
  const number = (wanted: UploadedFileResult['status']) =>
    uploaded.filter(({ status }) => status === wanted).length
  return [
    `${repository}: ${number('added')} added, ${number('replaced')} replaced, ${number('unchanged')} unchanged; revision ${revision}, ${count(packages, 'package')}`,
    ...uploaded.map(({ status, package: { key, signature } }) => {
      const verdict = signature ? ` (${describeVerdict(signature.verdict)})` : ''
      return `${marks[status]} ${key}${verdict}`
    }),
  ]
}

function removeLines({ repository, revision, packages, removed, done }: RemoveResult): readonly string[] {
  const what = `${count(removed.length, 'package')} ${done ? 'removed' : 'would be removed'}`
  const now = done ? `; revision ${revision}, ${count(packages, 'package')}` : ''
  return [`${repository}: ${what}${now}`, ...removed.map(({ key }) => `- ${key}`)]
}
