import type { MissingFile } from '../../catalog/catalog-records.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Reporter } from '../../core/events.ts'
import type { UpstreamPackage } from '../../core/model.ts'
import type { FailedFile } from './fetch-files.ts'

/** Lists of trouble in messages stop here; results for machines have them all. */
const named = 10

/**
 * Decides what becomes of a sync some of whose files could not be had. What is absent for good (404, 410) may be left out where
 * the configuration says so; everything else fails the sync.
 * @throws ChantalError the gravest of the failures, or `SYNC_INCOMPLETE` where all that is wrong is that files are absent
 */
export function judgeFailures(
  failed: readonly FailedFile[],
  context: {
    readonly settings: RepositorySettings
    /** Packages that upstream lists and the repository wants. */
    readonly listed: number
    /** Those of them that had to come by this sync. */
    readonly arriving: readonly Pick<UpstreamPackage, 'files'>[]
    readonly reporter: Reporter
  },
): void {
  if (failed.length === 0) return
  const { settings, listed, arriving, reporter } = context
  const worst = gravest(failed)
  if (worst && worst.error.code !== 'NOT_FOUND') throw explainFailure(worst, failed)

  const missing = missingFiles(failed)
  const absent = new Set(failed.map(({ file }) => file))
  const absentPackages = arriving.filter(({ files }) => files.some((file) => absent.has(file))).length
  const isNothingThere = listed > 0 && absentPackages === listed
  const lacksRequired = failed.some(({ file }) => file.isRequired)
  if (settings.onMissing === 'fail' || isNothingThere || lacksRequired)
    throw explainMissing(missing, { isNothingThere, lacksRequired })
  reporter.report({
    type: 'warning',
    code: 'PACKAGE_MISSING',
    message: `upstream lists ${count(missing.length, 'file')} that it does not have: ${enumerate(missing.map(({ path }) => path))}`,
    repository: settings.id,
  })
}

/** Of the files that did not come, those that upstream has not: what a partial sync names, sealed or not. */
export function missingFiles(failed: readonly FailedFile[]): readonly MissingFile[] {
  const absent = failed.filter(({ error }) => error.code === 'NOT_FOUND')
  // Several packages may lack the same file.
  const byPath = new Map(absent.map((one) => [one.file.path, one]))
  return [...byPath.values()].map(({ file, url, error }) => ({ path: file.path, url, reason: error.message }))
}

/** What is wrong with bytes is graver than an upstream that fails, and that than one that lacks files. */
function gravest(failed: readonly FailedFile[]): FailedFile | null {
  const gravity = ({ error }: FailedFile) => {
    const { exit } = error.traits
    if (error.code === 'NOT_FOUND') return 0
    if (exit >= 20 && exit < 30) return 1
    return exit >= 30 && exit < 40 ? 2 : 3
  }
  return failed.reduce<FailedFile | null>(
    (worst, next) => (worst && gravity(worst) >= gravity(next) ? worst : next),
    null,
  )
}

function explainFailure({ file, url, error }: FailedFile, all: readonly FailedFile[]): ChantalError {
  const others = all.length > 1 ? ` (and ${count(all.length - 1, 'other file')} failed)` : ''
  return new ChantalError(error.code, `${file.path}: ${error.message}${others}`, {
    cause: error,
    hint: error.hint ?? 'What was fetched is kept; run the sync again.',
    details: { ...error.details, path: file.path, url, failed_files: all.length },
  })
}

function explainMissing(
  missing: readonly MissingFile[],
  { isNothingThere, lacksRequired }: { readonly isNothingThere: boolean; readonly lacksRequired: boolean },
): ChantalError {
  const paths = missing.map(({ path }) => path)
  const message = isNothingThere
    ? `upstream has none of the packages it lists: ${enumerate(paths)}`
    : `upstream lists ${count(missing.length, 'file')} that it does not have: ${enumerate(paths)}`
  return new ChantalError('SYNC_INCOMPLETE', message, {
    hint: missingHint(isNothingThere, lacksRequired),
    details: { missing: paths },
  })
}

/** Of `on_missing` only where it would help, and is not set. */
function missingHint(isNothingThere: boolean, lacksRequired: boolean): string {
  if (isNothingThere) return 'Check the feed: its packages may lie elsewhere.'
  if (lacksRequired)
    return 'The mirror may be mid-update: try again later. A verbatim tree cannot do without metadata that its index lists; one of `mode: filtered` can.'
  return 'The mirror may be mid-update: try again later, or set `on_missing: skip` to do without them.'
}

function enumerate(paths: readonly string[]): string {
  const rest = paths.length - named
  return paths.slice(0, named).join(', ') + (rest > 0 ? `, and ${rest} more` : '')
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
