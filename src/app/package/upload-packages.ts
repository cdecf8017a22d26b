import type { StoredPackage } from '../../core/model.ts'
import type { UseCase } from '../context.ts'
import { addPackages } from './add-packages.ts'
import type { PackageSource } from './find-package-files.ts'
import { holdArrivals, hostedRepository, uploadsOf } from './hosted-repository.ts'
import { receiveUploads } from './receive-uploads.ts'

export interface UploadPackagesInput {
  /** The id of a hosted repository. */
  readonly repository: string
  readonly files: readonly PackageSource[]
  /** `null` leaves them to the ecosystem. */
  readonly suite: string | null
  readonly component: string | null
  /** Replaces packages that the repository holds with other bytes. */
  readonly force: boolean
}

export interface UploadResult {
  readonly repository: string
  /** The latest after it. */
  readonly revision: number
  readonly packages: number
  /** In the order of the files. */
  readonly uploaded: readonly UploadedFileResult[]
  readonly durationMs: number
}

export interface UploadedFileResult {
  readonly file: string
  readonly status: 'added' | 'replaced' | 'unchanged'
  readonly package: StoredPackage
}

/**
 * Adds packages to a hosted repository, all of them in one new revision or none. Those that it holds already change nothing.
 * @throws ChantalError `USAGE_INVALID` where the repository takes no uploads; what receiving files and adding packages throw
 */
export const uploadPackages: UseCase<UploadPackagesInput, UploadResult> = async (context, input, caller) => {
  const startedAt = context.now()
  const settings = hostedRepository(context, input.repository)
  const uploads = uploadsOf(context, settings)
  const { suite, component, force } = input
  const terms = { options: settings.options, suite, component, now: startedAt }
  await using arrivals = await holdArrivals(context, settings, `upload to ${settings.id}`, caller)
  const { signal } = arrivals
  const received = await receiveUploads(
    context,
    { repository: settings.id, uploads, terms, files: input.files },
    signal,
  )
  const { added, ...after } = await addPackages(
    context,
    { settings, kind: 'upload', uploads: received, force, startedAt },
    signal,
  )
  return {
    ...after,
    uploaded: added.map(({ label, ...result }) => ({ file: label, ...result })),
    durationMs: context.now().getTime() - startedAt.getTime(),
  }
}
