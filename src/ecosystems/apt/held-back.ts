import type { StoredPackage, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import type { AptAttributes } from './attributes.ts'
import { versionGroupOf } from './package-key.ts'
import type { AptReadRequest } from './suite-release.ts'
import { compareDebVersions } from './version.ts'

type Listed = UpstreamPackage<AptAttributes>
type Held = StoredPackage<AptAttributes>

/** Updates that are left out because upstream has not released them to all machines. It seldom lists what they replace. */
export class HeldBack {
  /** Of each group the oldest version that is left out. */
  readonly #versions = new Map<string, string>()

  get isEmpty(): boolean {
    return this.#versions.size === 0
  }

  add({ versionGroup, version }: Pick<Listed, 'versionGroup' | 'version'>): void {
    const known = this.#versions.get(versionGroup)
    if (known === undefined || compareDebVersions(version, known) < 0)
      this.#versions.set(versionGroup, version)
  }

  /**
   * What the latest revision has in their place and upstream does not list any more: of each the newest version before it, or the very
   * version, where upstream takes back what it had released, or it was not held back until now.
   * @param listed what the next revision has of upstream
   */
  async predecessors(
    { held }: Pick<AptReadRequest, 'held'>,
    listed: readonly Listed[],
  ): Promise<readonly Listed[]> {
    if (this.#versions.size === 0) return []
    const newest = new Map<string, string>()
    const paths = new Set<string>()
    for (const { versionGroup, version, files } of listed) {
      if (this.#versions.has(versionGroup) && isNewer(version, newest.get(versionGroup)))
        newest.set(versionGroup, version)
      for (const { path } of files) paths.add(path)
    }
    const found = new Map<string, Held>()
    const candidates = await held(({ name, version, architecture, attributes }) => {
      const group = versionGroupOf({ ...attributes, name, architecture })
      const limit = this.#versions.get(group)
      return limit !== undefined && !isNewer(version, limit) && isNewer(version, newest.get(group))
    })
    for (const pkg of candidates) {
      const group = versionGroupOf({ ...pkg.attributes, name: pkg.name, architecture: pkg.architecture })
      if (isNewer(pkg.version, found.get(group)?.version)) found.set(group, pkg)
    }
    return [...found]
      .filter(([, { files }]) => !files.some(({ path }) => paths.has(path)))
      .map(([versionGroup, pkg]) => listedAgain(pkg, versionGroup))
  }
}

function isNewer(version: string, than: string | undefined): boolean {
  return than === undefined || compareDebVersions(version, than) > 0
}

/** As it is held: its files are in the pool, and nothing of it is read anew. */
function listedAgain(pkg: Held, versionGroup: string): Listed {
  const { key, identity, name, version, architecture, builtAt, attributes } = pkg
  const [first, ...rest] = pkg.files
  const files = [upstreamFile(first), ...rest.map(upstreamFile)] as const
  return { key, identity, name, version, architecture, builtAt, attributes, versionGroup, files }
}

function upstreamFile({ path, digest, size }: Held['files'][0]): UpstreamFile {
  const expect = { size, checksums: [{ algorithm: 'sha256', hex: digest }], maxSize: size } as const
  return { path, location: path, expect }
}
