import type { PublicationRecord } from '../../catalog/catalog-records.ts'
import { isChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { Generation } from '../../publish/publications.ts'
import type { AppContext } from '../context.ts'
import { compareGenerations, prunePublication } from '../publish/prune-publication.ts'
import { reconcilePublication } from '../publish/reconcile-publication.ts'

/** A published path that is not on disk as the catalog has it. */
export interface PublicationFlaw {
  readonly check: 'publication'
  readonly repository: null
  /** The path. */
  readonly subject: string
  readonly message: string
  readonly repaired: boolean
}

/** Of one path no more are named. */
const maxFiles = 1000

/**
 * What the catalog calls published against the links, generations and files on disk. Where somebody is publishing nothing is said: they
 * leave it right, or the next who publishes there does.
 */
export async function comparePublications(
  context: AppContext,
  terms: { readonly deep: boolean; readonly repair: boolean },
  signal: AbortSignal,
): Promise<{
  readonly publications: number
  readonly flaws: readonly PublicationFlaw[]
  readonly repaired: number
}> {
  const { catalog, publications } = context
  const known = await catalog.read((reader) => reader.publications())
  const flaws: PublicationFlaw[] = []
  const looked = new Set<RepositoryId>()
  for (const { path } of known) {
    signal.throwIfAborted()
    flaws.push(...(await compareOne(context, path, looked, terms, signal)))
  }
  const paths = new Set<string>(known.map(({ path }) => path))
  for (const path of await publications.list())
    if (!paths.has(path))
      flaws.push(...(await compareOne(context, path, looked, { ...terms, repair: false }, signal)))
  return { publications: known.length, flaws, repaired: flaws.filter(({ repaired }) => repaired).length }
}

/** While nobody else publishes there. */
async function compareOne(
  context: AppContext,
  path: RelativePath,
  looked: Set<RepositoryId>,
  terms: { readonly deep: boolean; readonly repair: boolean },
  signal: AbortSignal,
): Promise<readonly PublicationFlaw[]> {
  const flaw = (message: string, repaired: boolean): PublicationFlaw => ({
    check: 'publication',
    repository: null,
    subject: path,
    message,
    repaired,
  })
  const flaws: PublicationFlaw[] = []
  try {
    await using _lease = await context.catalog.acquire({
      resource: `publication:${path}`,
      mode: 'exclusive',
      purpose: `verify ${path}`,
      waitMs: 0,
      signal,
    })
    const found = await differences(context, path)
    if (found.length > 0 && terms.repair) await reconcilePublication(context, path)
    const left = new Set(found.length > 0 && terms.repair ? await differences(context, path) : found)
    flaws.push(...found.map((message) => flaw(message, !left.has(message))))
    const check = { ...terms, limit: maxFiles, looked }
    const damaged = await context.publications.damagedFiles(path, check, signal)
    const otherwise = terms.deep ? 'it has other bytes' : 'it has another size'
    flaws.push(
      ...damaged.map((file) =>
        file.isRecord
          ? flaw(`lacks a record of what it holds, or it is damaged: ${file.path}`, file.isRestored)
          : flaw(`lacks ${file.path}, or ${otherwise}`, file.isRestored),
      ),
    )
    if (terms.repair && left.size === 0)
      flaws.push(...(await dropUnknown(context, path)).map((message) => flaw(message, true)))
  } catch (error) {
    if (isChantalError(error, 'CATALOG_CORRUPT'))
      flaws.push(flaw(`cannot be looked at: ${error.message}`, false))
    else if (!isChantalError(error, 'LEASE_HELD')) throw error
  }
  return flaws
}

/**
 * What another catalog published there goes once clients are done with it. The caller holds the publication's lease, and the catalog knows
 * what is current.
 */
async function dropUnknown(context: AppContext, path: RelativePath): Promise<readonly string[]> {
  const { unknown } = await compareGenerations(context, path)
  if (unknown.size === 0) return []
  const dropped = await prunePublication(context, path)
  return dropped
    .filter((name) => unknown.has(name))
    .map((name) => `had a generation ${name} that the catalog does not know`)
}

async function differences(
  { catalog, publications }: AppContext,
  path: RelativePath,
): Promise<readonly string[]> {
  const { record, recorded } = await catalog.read(async (reader) => ({
    record: await reader.publication(path),
    recorded: await reader.generations(path),
  }))
  if (record === null)
    return [
      `is published and unknown to the catalog: publish it again, or run \`chantal publish unpublish ${path}\``,
    ]
  const shown = await publications.current(path)
  const onDisk = new Set((await publications.generations(path)).map(({ name }) => name))
  // Older generations that only the disk has are no flaw: the catalog was made anew, and the path published again since.
  return [
    ...currentDifferences(shown, record.current),
    ...recorded
      .filter(({ generation }) => !onDisk.has(generation))
      .map(({ generation }) => `has no generation ${generation} on disk`),
  ]
}

function currentDifferences(
  shown: Generation | null,
  current: PublicationRecord['current'],
): readonly string[] {
  if (shown?.name !== current?.generation)
    return [`shows ${shown?.name ?? 'nothing'} and should show ${current?.generation ?? 'nothing'}`]
  if (shown && current && shown.files !== current.files)
    return [`shows ${shown.files} files and should show ${current.files}`]
  return []
}
