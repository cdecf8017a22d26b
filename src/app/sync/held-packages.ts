import type { PackageKey, Revision } from '../../core/model.ts'
import type { HeldPackage } from '../../core/plan.ts'
import type { AppContext } from '../context.ts'

/**
 * What the next revision may keep of the latest one.
 * @param hasRecords whether packages of the next one have native records
 */
export async function findHeldPackages(
  { catalog }: Pick<AppContext, 'catalog'>,
  latest: Revision | null,
  hasRecords: boolean,
): Promise<ReadonlyMap<PackageKey, HeldPackage>> {
  if (!latest) return new Map()
  const held = await catalog.read((reader) => reader.heldPackages(latest))
  if (latest.hasRecords || !hasRecords) return held
  // What is held lacks the native records that metadata is generated from: all of it comes anew.
  return new Map([...held.keys()].map((key) => [key, { key, identity: '' }]))
}

/** Their keys by their identity: for a reader that need not look at what is held already. */
export function keysByIdentity(held: ReadonlyMap<PackageKey, HeldPackage>): ReadonlyMap<string, PackageKey> {
  const keys = new Map<string, PackageKey>()
  for (const { key, identity } of held.values()) if (identity !== '') keys.set(identity, key)
  return keys
}
