import { ChantalError } from '../../core/errors.ts'
import type { StoredPackage } from '../../core/model.ts'
import { literalPattern } from '../../core/pattern.ts'
import type { PackageUploads } from '../../ecosystems/ecosystem.ts'
import { configuredRepository } from '../configured.ts'
import type { AppContext, UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'
import { type AddedPackage, addPackages, previewAddition } from './add-packages.ts'
import { findPackages } from './find-packages.ts'
import { holdArrivals, hostedRepository, uploadsOf } from './hosted-repository.ts'
import { describeStored } from './receive-uploads.ts'
import { removePackages } from './remove-packages.ts'

export interface CopyPackagesInput {
  /** Where they are: any source. To move them, the id of a hosted repository. */
  readonly from: string
  /** Keys, names, or shell patterns of either. */
  readonly packages: readonly string[]
  /** The id of a hosted repository of the same kind. */
  readonly to: string
  /** Where in that repository; `null` leaves them to the ecosystem. */
  readonly suite: string | null
  readonly component: string | null
  /** Replaces packages that it holds with other bytes. */
  readonly force: boolean
  /** Takes them out of `from` once they are in `to`. */
  readonly move: boolean
  /** Changes nothing, and gives what would come of it. */
  readonly dryRun: boolean
}

export interface CopyResult {
  readonly from: string
  /** Where they are now. */
  readonly repository: string
  /** The latest after it; of a dry run the one that is, and 0 where there is none yet. */
  readonly revision: number
  /** Of that revision. */
  readonly packages: number
  /** In key order of where they came from. `label` is the key that they had there. */
  readonly copied: readonly AddedPackage[]
  /** The revision of `from` without them; `null` where they were not moved. */
  readonly leftRevision: number | null
  /** `false` after a dry run. */
  readonly done: boolean
  readonly durationMs: number
}

/**
 * Copies packages between repositories, all of them in one new revision or none. No file is copied: what a package is follows from its bytes,
 * which are read again, so that key, path and native record are those that the target gives it, whatever upstream said of it. Moved
 * packages leave `from` after they have arrived: whoever is interrupted between finds them in both.
 * @throws ChantalError `NOT_FOUND` for a pattern that matches nothing; `USAGE_INVALID` where repositories are of different kinds, the target
 *   is not hosted, or a package is more than a file; what adding and removing packages throw
 */
export const copyPackages: UseCase<CopyPackagesInput, CopyResult> = async (context, input, caller) => {
  const startedAt = context.now()
  const { to, suite, component, force, dryRun } = input
  const settings = hostedRepository(context, to)
  const uploads = uploadsOf(context, settings)
  await using arrivals = await holdArrivals(context, settings, `copy to ${settings.id}`, caller)
  const { signal } = arrivals
  const { label, found } = await find(context, input)
  const files = found.map((pkg) => fileOf(pkg, uploads))
  const digests = files.map(({ blob }) => blob.digest)
  // Garbage collection leaves alone what is wanted now, should it go from where it is.
  if (!dryRun) await context.catalog.write((writer) => writer.touchBlobs(digests, context.now()))
  const terms = { options: settings.options, suite, component, now: startedAt }
  const described = await describeStored(context, { uploads, terms, files }, signal)
  const addition = { settings, uploads: described, force }
  const { added, ...after } = dryRun
    ? await previewAddition(context, addition, signal)
    : await addPackages(context, { ...addition, kind: 'copy', startedAt }, signal)
  const left = input.move && !dryRun ? await leave(context, label, found, signal) : null
  return {
    from: label,
    ...after,
    copied: added,
    leftRevision: left,
    done: !dryRun,
    durationMs: context.now().getTime() - startedAt.getTime(),
  }
}

async function find(
  context: AppContext,
  { from, to, packages, move }: CopyPackagesInput,
): Promise<{ readonly label: string; readonly found: readonly StoredPackage[] }> {
  const { catalog, settings } = context
  if (move) {
    hostedRepository(context, from)
    if (from === to)
      throw new ChantalError('USAGE_INVALID', `${from} and the repository to move to are the same`, {
        hint: 'Name another hosted repository with --to.',
      })
  }
  return catalog.read(async (reader) => {
    const source = await resolveSource(reader, settings, from)
    const [{ repository }] = source.revisions
    const [has, takes] = [repository, to].map((id) => configuredRepository(settings, id).ecosystem)
    if (has !== takes) {
      throw new ChantalError(
        'USAGE_INVALID',
        `packages of ${from} are of type ${has}, and ${to} is of type ${takes}`,
        {
          hint: 'Packages go between repositories of one type.',
          details: { from, to },
        },
      )
    }
    return { label: source.label, found: await findPackages(reader, source, packages) }
  })
}

/** @throws ChantalError `USAGE_INVALID` for what could not have been uploaded: a Debian source package is several files */
function fileOf({ key, files: [file, ...rest] }: StoredPackage, { extensions }: PackageUploads) {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  if (rest.length === 0 && extensions.some((extension) => name.endsWith(extension)))
    return { label: key, name, blob: { digest: file.digest, size: file.size } }
  throw new ChantalError(
    'USAGE_INVALID',
    `${key} cannot be copied: ${rest.length > 0 ? 'it is more than one file' : `${name} is no package that can be uploaded`}`,
    {
      details: { key, files: [file, ...rest].map(({ path }) => path) },
    },
  )
}

/** @returns the revision without them */
async function leave(
  context: AppContext,
  repository: string,
  packages: readonly StoredPackage[],
  signal: AbortSignal,
): Promise<number> {
  const keys = packages.map(({ key }) => literalPattern(key))
  return (await removePackages(context, { repository, packages: keys, dryRun: false }, signal)).revision
}
