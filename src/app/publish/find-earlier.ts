import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import { isChantalError } from '../../core/errors.ts'
import type { RelativePath } from '../../core/path.ts'
import type { OpenedGeneration } from '../../publish/opened-generation.ts'
import type { GenerationAt } from '../../publish/publications.ts'
import type { AppContext } from '../context.ts'
import type { WantedPublication } from './publish-content.ts'
import { ownerOf } from './published-path.ts'

/** A finished generation to repeat, or to take parts from. Nobody removes it before this is disposed. */
export interface EarlierGeneration extends AsyncDisposable {
  readonly at: GenerationAt
  readonly tree: OpenedGeneration
  /** Which revisions it shows. */
  readonly sources: GenerationRecord['sources']
  /** It shows what is to be published, but for the time, and its files can be checked. */
  readonly isEqual: boolean
}

/**
 * The generation on disk that has most in common with what is to be published: one with the same fingerprint, at any path; else the one
 * whose revisions are nearest. One that somebody is publishing to is passed over. The caller holds the lease of `wanted.path`.
 */
export async function findEarlier(
  context: Pick<AppContext, 'catalog' | 'publications'>,
  wanted: Pick<WantedPublication, 'path' | 'content'>,
  fingerprint: string,
  signal: AbortSignal,
): Promise<EarlierGeneration | null> {
  for (const record of (await candidates(context, wanted, fingerprint)).slice(0, maxTried)) {
    const found = await open(context, record, wanted.path, signal)
    if (found) return { ...found, isEqual: record.fingerprint === fingerprint && found.tree.isRepeatable }
  }
  return null
}

/** Each costs a lease, and those that cannot be had are few. */
const maxTried = 4

async function candidates(
  { catalog }: Pick<AppContext, 'catalog'>,
  { path, content: { owner, revisions } }: Pick<WantedPublication, 'path' | 'content'>,
  fingerprint: string,
): Promise<readonly GenerationRecord[]> {
  const records = await catalog.read(async (reader) => [
    ...(await reader.generations(path)),
    ...(await reader.publications()).flatMap(({ current }) =>
      current && current.path !== path ? [current] : [],
    ),
  ])
  const distance = ({ fingerprint: other, sources }: GenerationRecord) =>
    other === fingerprint
      ? -1
      : revisions.reduce(
          (sum, { number }, index) => sum + Math.abs((sources[index]?.revision ?? 0) - number),
          0,
        )
  // A path is one owner's, and trees of the same owner are alike: a view of one member is laid out unlike that member.
  const isAlike = (record: GenerationRecord) =>
    ownerOf(record.path) === owner &&
    record.sources.length === revisions.length &&
    revisions.every(({ repository }, index) => record.sources[index]?.repository === repository)
  return records
    .filter(isAlike)
    .map((record) => ({ record, distance: distance(record), isHere: record.path === path ? 0 : 1 }))
    .sort((a, b) => a.distance - b.distance || a.isHere - b.isHere)
    .map(({ record }) => record)
}

async function open(
  { catalog, publications }: Pick<AppContext, 'catalog' | 'publications'>,
  { path, generation, sources }: GenerationRecord,
  held: RelativePath,
  signal: AbortSignal,
): Promise<Omit<EarlierGeneration, 'isEqual'> | null> {
  const at = { path, generation }
  let lease: AsyncDisposable | null = null
  try {
    // Not waited for: two that publish could wait for each other.
    if (path !== held) {
      lease = await catalog.acquire({
        resource: `publication:${path}`,
        mode: 'shared',
        purpose: `publish ${held} like it`,
        waitMs: 0,
        signal,
      })
    }
  } catch (error) {
    if (isChantalError(error, 'LEASE_HELD')) return null
    throw error
  }
  const tree = await publications.open(at)
  const release = async () => {
    await tree?.[Symbol.asyncDispose]()
    await lease?.[Symbol.asyncDispose]()
  }
  if (tree) return { at, tree, sources, [Symbol.asyncDispose]: release }
  await release()
  return null
}
