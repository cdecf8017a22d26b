import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Revision, StoredPackage } from '../../core/model.ts'

/**
 * The packages of revisions that patterns name, each once; in order of revisions and keys.
 * @param source as messages call it
 * @param patterns keys, names, or shell patterns of either
 * @throws ChantalError `NOT_FOUND` for one that matches nothing
 */
export async function findPackages(
  reader: CatalogReader,
  source: { readonly label: string; readonly revisions: readonly Revision[] },
  patterns: readonly string[],
): Promise<readonly StoredPackage[]> {
  const { label, revisions } = source
  const found = revisions.map(() => new Map<string, StoredPackage>())
  for (const pattern of patterns) {
    let count = 0
    for (const [index, revision] of revisions.entries()) {
      for await (const pkg of reader.packages(revision, { pattern })) {
        found[index]?.set(pkg.key, pkg)
        count += 1
      }
    }
    if (count > 0) continue
    throw new ChantalError('NOT_FOUND', `${label} holds no package ${JSON.stringify(pattern)}`, {
      hint: `Give keys or names as \`chantal content list ${label}\` shows them.`,
      details: { source: label, package: pattern },
    })
  }
  return found.flatMap((packages) => [...packages.values()].sort((a, b) => (a.key < b.key ? -1 : 1)))
}
