import type { Command } from 'commander'
import type { AdoptPoolOutput } from '../../app/pool/adopt-pool.ts'
import type { MissingBlob } from '../../app/pool/missing-blobs.ts'
import type { OrphanedBlob } from '../../app/pool/orphaned-blobs.ts'
import { firstOf } from '../render/first-of.ts'
import { printable } from '../render/table.ts'
import { count, formatBytes, formatTime } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'

/** What is in the pool and should not be, what should be and is not, and whose the pool is. */
export function registerInventory(pool: Command, run: Run): void {
  pool
    .command('orphaned')
    .description('list blobs in the pool that nothing needs: what garbage collection looks at')
    .addHelpText('after', '\nExample: chantal pool orphaned --format csv\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { orphanedBlobs } = await import('../../app/pool/orphaned-blobs.ts')
        const blobs = await orphanedBlobs(await session.context(), {}, session.signal)
        if (session.output.format === 'table')
          session.output.text(orphanedLines(blobs).map(printable).join('\n'))
        else
          session.output.list(blobs, {
            columns: [
              { title: 'DIGEST', show: ({ digest }) => digest },
              { title: 'SIZE', show: ({ sizeBytes }) => String(sizeBytes) },
              { title: 'STATE', show: ({ state }) => state },
              { title: 'STORED AT', show: ({ storedAt }) => storedAt.toISOString() },
            ],
            empty: '',
          })
      }),
    )

  pool
    .command('missing')
    .description('list blobs that are needed and not in the pool, and what that affects')
    .addHelpText('after', '\nExample: chantal pool missing\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { missingBlobs, missingError } = await import('../../app/pool/missing-blobs.ts')
        const blobs = await missingBlobs(await session.context(), {}, session.signal)
        if (session.output.format === 'table')
          session.output.text(missingLines(blobs).map(printable).join('\n'))
        else
          session.output.list(blobs, {
            columns: [
              { title: 'DIGEST', show: ({ digest }) => digest },
              { title: 'SIZE', show: ({ sizeBytes }) => String(sizeBytes) },
              { title: 'FILES', show: ({ files }) => files.join('; ') },
              { title: 'SNAPSHOTS', show: ({ snapshots }) => snapshots.join(' ') },
              { title: 'PUBLICATIONS', show: ({ publications }) => publications.join(' ') },
            ],
            empty: '',
          })
        const error = missingError(blobs)
        if (!error) return
        session.showError(error)
        throw new ShownFailure(error)
      }),
    )

  pool
    .command('adopt')
    .description("make the pool this catalog's, after its marker or the catalog that had it was lost")
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show whose it is, and what would become of it')
    .addHelpText('after', '\nExample: chantal pool adopt --dry-run\n')
    .action((options: { yes?: boolean; dryRun?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { adoptPool } = await import('../../app/pool/adopt-pool.ts')
        const context = await session.adoptionContext()
        const preview = await adoptPool(context, { dryRun: true }, session.signal)
        const isOurs = preview.previous === preview.catalog
        if (!options.dryRun && !isOurs) await session.confirm(adoptionQuestion(preview), options.yes)
        const result =
          options.dryRun || isOurs ? preview : await adoptPool(context, { dryRun: false }, session.signal)
        session.output.one(result, () => adoptionLines(result, isOurs))
        if (result.adopted && result.missingBlobs > 0)
          session.suggest('To get back what is not there: `chantal pool verify --repair`.')
      }),
    )
}

function orphanedLines(blobs: readonly OrphanedBlob[]): readonly string[] {
  const line = (state: OrphanedBlob['state'], meaning: string) => {
    const those = blobs.filter((blob) => blob.state === state)
    const bytes = those.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    return `${state}: ${count(those.length, 'blob')} (${formatBytes(bytes)}) ${meaning}`
  }
  return [
    line('unnamed', 'that the catalog has no row of'),
    line('unreached', 'that no latest revision, snapshot or publication needs'),
    ...firstOf(
      blobs.map(({ digest, sizeBytes, state, storedAt }) => [
        `  ${digest}  ${state}  ${formatBytes(sizeBytes)}  ${formatTime(storedAt)}`,
      ]),
    ).flat(),
  ]
}

function missingLines(blobs: readonly MissingBlob[]): readonly string[] {
  if (blobs.length === 0) return ['The pool has all that is needed.']
  const bytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return [
    `missing: ${count(blobs.length, 'blob')} (${formatBytes(bytes)})`,
    ...firstOf(
      blobs.map(({ digest, files, snapshots, publications }) => [
        `  ${digest}`,
        ...firstOf(files.map((file) => [`    ${file}`])).flat(),
        ...(snapshots.length > 0 ? [`    in snapshots: ${snapshots.join(', ')}`] : []),
        ...(publications.length > 0 ? [`    published: ${publications.join(', ')}`] : []),
      ]),
    ).flat(),
  ]
}

function adoptionQuestion({ path, previous, unknownBlobs, unknownBytes, missingBlobs }: AdoptPoolOutput) {
  const owner =
    previous === null ? 'which has no marker: is its disk mounted' : `which belongs to catalog ${previous}`
  return `adopt the pool at ${path}, ${owner} (${count(unknownBlobs, 'blob')}, ${formatBytes(unknownBytes)}, would be garbage; ${missingBlobs} missing)`
}

function adoptionLines(result: AdoptPoolOutput, isOurs: boolean): readonly string[] {
  const { path, catalog, blobs, unknownBlobs, unknownBytes, missingBlobs, adopted } = result
  const owner = result.previous === null ? 'nobody' : `catalog ${result.previous}`
  return [
    isOurs
      ? `${path} is this catalog's already (${catalog})`
      : `${path} ${adopted ? 'belonged' : 'belongs'} to ${owner}; ${adopted ? 'it is now' : 'it would become'} this catalog's (${catalog})`,
    `${count(blobs, 'blob')} in the pool, of which the catalog does not know ${unknownBlobs} (${formatBytes(unknownBytes)}); ${missingBlobs} that it knows are missing`,
  ]
}
