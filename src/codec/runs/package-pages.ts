import type { JsonObject } from '../../core/brand.ts'
import type { PackageKey, PackageOutline, RevisionPackage } from '../../core/model.ts'
import { inPages } from '../../core/pages.ts'

/** Packages of a revision, as a publisher gets them. */
interface Packages<Attributes extends JsonObject> {
  outlines(): AsyncIterable<readonly PackageOutline<Attributes>[]>
  packages(among?: readonly PackageKey[]): AsyncIterable<RevisionPackage<Attributes>>
}

/** Some of a revision's packages, one after another. */
export interface PackagePage<Attributes extends JsonObject> {
  readonly outlines: readonly PackageOutline<Attributes>[]
  /** Those of them, with their files. */
  whole(keys: readonly PackageKey[]): Promise<ReadonlyMap<PackageKey, RevisionPackage<Attributes>>>
}

/** Packages whose entries are made together. */
const pagePackages = 1000

/**
 * The packages of a revision in key order, for who asks for few of them whole.
 * @param areAllWhole whether every one will be asked for: then they are read once
 */
export async function* packagePages<Attributes extends JsonObject>(
  content: Packages<Attributes>,
  areAllWhole: boolean,
): AsyncGenerator<PackagePage<Attributes>> {
  if (areAllWhole) {
    for await (const packages of inPages(content.packages(), pagePackages)) {
      const byKey = new Map(packages.map((pkg) => [pkg.key, pkg]))
      yield { outlines: packages, whole: async () => byKey }
    }
    return
  }
  for await (const outlines of content.outlines())
    yield { outlines, whole: (keys) => wholePackages(content, keys) }
}

/** These packages, with their files. */
export async function wholePackages<Attributes extends JsonObject>(
  { packages }: Pick<Packages<Attributes>, 'packages'>,
  keys: readonly PackageKey[],
): Promise<ReadonlyMap<PackageKey, RevisionPackage<Attributes>>> {
  const found = new Map<PackageKey, RevisionPackage<Attributes>>()
  if (keys.length > 0) for await (const pkg of packages(keys)) found.set(pkg.key, pkg)
  return found
}
