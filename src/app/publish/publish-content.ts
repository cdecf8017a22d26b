import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import type { Lease } from '../../catalog/lease.ts'
import { isChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import { TreeIncomplete } from '../../core/publication.ts'
import type { Generation, TakenPackages } from '../../publish/publications.ts'
import type { AppContext } from '../context.ts'
import { parseSource } from '../source.ts'
import { awaitPublishTime } from './await-publish-time.ts'
import { findEarlier } from './find-earlier.ts'
import { prunePublication } from './prune-publication.ts'
import type { PublishedGeneration } from './publish-result.ts'
import { type Content, openTree, type PublishedTree } from './published-tree.ts'
import { reconcilePublication } from './reconcile-publication.ts'
import { failedSync } from './warn-about-failed-sync.ts'
import { warnAboutOlderTree } from './warn-about-older-tree.ts'

/** What is to be seen, and the path it is to be seen at. */
export interface WantedPublication {
  readonly path: RelativePath
  readonly content: Content
  /** Holds the path, so that nothing is published there until it is released. */
  readonly hold?: boolean
  /** Makes every file anew, and takes nothing from an earlier generation. */
  readonly fresh?: boolean
}

/** The current generation of the path, where it shows exactly this, and clients go on taking it for long enough; `null` otherwise. */
export async function findPublished(
  context: AppContext,
  { path, content }: WantedPublication,
): Promise<PublishedGeneration | null> {
  const known = await context.catalog.read((reader) => reader.publication(path))
  const onDisk = await context.publications.current(path)
  if (!known?.current || known.current.generation !== onDisk?.name) return null
  const { fingerprint, validityMs } = await openTree(context, content)
  if (known.current.fingerprint !== fingerprint) return null
  // The list of what it holds was damaged, and had to be made of what was found.
  if (known.current.files !== onDisk.files) return null
  if (isAging(context, known.current, validityMs) && (await isUpToDate(context, content))) return null
  return { record: known.current, unchanged: true, packageLinks: 0 }
}

/** Whether half of the time is over for which clients take it. */
function isAging({ now }: AppContext, { publishedAt }: GenerationRecord, validityMs: number | null): boolean {
  return validityMs !== null && now().getTime() - publishedAt.getTime() >= validityMs / 2
}

/**
 * Makes anew for its time alone what a path is held at, before clients refuse it for its age: it is meant to be old. The caller holds the
 * publication's lease.
 * @returns whether it was made anew; not where it is young enough, or would not show the same with the options of today
 */
export async function renewHeld(
  context: AppContext,
  content: Content,
  current: GenerationRecord,
  lease: Lease,
): Promise<boolean> {
  const { fingerprint, validityMs } = await openTree(context, content)
  if (current.fingerprint !== fingerprint || !isAging(context, current, validityMs)) return false
  await publishContent(context, { path: current.path, content }, lease)
  return true
}

/**
 * Whether nothing newer was there to be had. After a sync that failed nobody knows, and what may be withheld from us must not be
 * vouched for again. What a snapshot froze is meant to be old.
 */
async function isUpToDate({ catalog }: AppContext, { label, revisions }: Content): Promise<boolean> {
  if (parseSource(label).at.kind !== 'latest') return true
  return catalog.read(async (reader) => {
    for (const { repository } of revisions) if (await failedSync(reader, repository)) return false
    return true
  })
}

/**
 * Publishes, and takes from an earlier generation what it has in common with it. Where that turns out to be damaged, everything is made
 * anew, from the catalog and the pool.
 * @param lease the publication's
 * @throws ChantalError as `openTree`; `BLOB_MISSING`, `DISK_FULL`, `NOT_WRITABLE`, `LEASE_LOST`
 */
export async function publishContent(
  context: AppContext,
  wanted: WantedPublication,
  lease: Lease,
): Promise<PublishedGeneration> {
  try {
    return await publishOnce(context, wanted, lease)
  } catch (error) {
    if (!(error instanceof TreeIncomplete) || wanted.fresh) throw error
    return publishOnce(context, { ...wanted, fresh: true }, lease)
  }
}

/**
 * Builds a generation beside the current one, switches to it, and drops those that are due. A failure leaves clients with what they had.
 * All members of a view switch together: they are one tree.
 */
async function publishOnce(
  context: AppContext,
  wanted: WantedPublication,
  lease: Lease,
): Promise<PublishedGeneration> {
  const { path, content, hold = false } = wanted
  const { signal } = lease
  const { catalog, publications, reporter } = context
  const tree = await openTree(context, content)
  const { packages, signer, fingerprint } = tree
  warnUnsigned(context, content, tree)
  await warnAboutOlderTree(context, wanted, tree)
  reporter.report({ type: 'publish.started', path, packages })
  await using earlier = wanted.fresh ? null : await findEarlier(context, wanted, fingerprint, signal)
  const renew = earlier?.isEqual ? tree.renew : null
  await using stage = await publications.begin(
    path,
    context.now(),
    earlier && { ...earlier.at, isRepeated: renew !== null },
  )
  const record: GenerationRecord = {
    path,
    generation: stage.name,
    publishedAt: stage.publishedAt,
    sources: content.revisions.map(({ repository, number }) => ({
      repository,
      revision: number,
      source: content.label,
    })),
    packages,
    files: 0,
    signedBy: signer?.kind === 'openpgp' ? signer.fingerprint : null,
    fingerprint,
  }
  // The revisions are roots from before the first file is placed, so that no garbage collection takes them meanwhile.
  await catalog.write((writer) => writer.saveGeneration(record, false))
  context.reached?.('generation announced')
  let generation: Generation
  try {
    const now = stage.publishedAt
    if (earlier && renew) await renew({ now, earlier: earlier.tree }, stage)
    else {
      const takeOver = earlier && {
        revisionOf: (repository: RepositoryId) =>
          earlier.sources.find((source) => source.repository === repository)?.revision ?? null,
        take: (packages: TakenPackages) => stage.takePackages(packages),
      }
      await tree.fill({ now, earlier: earlier?.tree ?? null, takeOver }, stage)
    }
    await awaitPublishTime(context, wanted, tree, stage.publishedAt, signal)
    // Whoever took the path over has dropped what was staged here.
    await lease.assertHeld()
    generation = await stage.commit()
  } catch (error) {
    await tidyUp(context, path, signal)
    throw error
  }
  context.reached?.('generation switched')
  const finished = { ...record, files: generation.files }
  await catalog.write(async (writer) => {
    await writer.saveGeneration(finished, true)
    if (hold) await writer.holdPublication(path, context.now())
  })
  context.reached?.('generation recorded')
  reporter.report({ type: 'publish.switched', path, generation: generation.name, files: generation.files })
  await prunePublication(context, path)
  return { record: finished, unchanged: false, packageLinks: stage.packageLinks }
}

/** What cannot be tidied up now, the next publication or garbage collection does; it must not hide why this one ended. */
async function tidyUp(context: AppContext, path: RelativePath, signal: AbortSignal): Promise<void> {
  // The path is somebody else's by now.
  if (isChantalError(signal.reason, 'LEASE_LOST')) return
  try {
    await reconcilePublication(context, path)
  } catch (error) {
    if (!isChantalError(error)) throw error
  }
}

function warnUnsigned(
  { reporter }: AppContext,
  { owner }: Content,
  { isVerbatim, signer }: PublishedTree,
): void {
  if (isVerbatim || signer) return
  reporter.report({
    type: 'warning',
    code: 'UNSIGNED_PUBLICATION',
    message: `${owner} is published unsigned, since no signing key is configured`,
    repository: owner,
  })
}
