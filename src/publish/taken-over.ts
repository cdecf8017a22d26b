import type { BlobRef } from '../core/bytes.ts'
import type { RepositoryId } from '../core/model.ts'
import { joinRelativePath, parseRelativePath, type RelativePath } from '../core/path.ts'
import { type EarlierGeneration, findShelfLinks, type ShelfLink } from './earlier-generation.ts'
import type { Mounts } from './mounts.ts'
import type { GenerationAt, TakenPackages } from './publications.ts'
import type { ClaimTerms } from './repository-shelves.ts'
import type { ShelfStand } from './shelf-stand.ts'
import type { Shelves } from './shelves.ts'
import type { TreeLayout } from './tree-layout.ts'

/** By repository, files that are placed beside those taken over, by their paths on its shelf. */
export type PlacedBeside = ReadonlyMap<RepositoryId, ReadonlyMap<RelativePath, BlobRef>>

/** Where packages stand, claimed and not linked yet. */
interface ClaimedStands {
  readonly stands: readonly ShelfStand[]
  readonly layout: TreeLayout
  /** All that these stands show. */
  readonly packages: number
  /** Of the shelves. */
  readonly locks: AsyncDisposable
}

/**
 * What a generation in the making takes over of an earlier one: repositories whose packages stand on the same shelf below the same
 * links, but for what is gone and what is placed.
 */
export class TakenOver {
  readonly #earlier: EarlierGeneration
  readonly #gone = new Map<RepositoryId, ReadonlySet<RelativePath>>()
  #links: readonly ShelfLink[] = []

  constructor(earlier: EarlierGeneration) {
    this.#earlier = earlier
  }

  get at(): GenerationAt {
    const { publication, name } = this.#earlier.manifest
    return { path: publication, generation: name }
  }

  /** In the order in which their shelves are opened. */
  get repositories(): readonly RepositoryId[] {
    return [...this.#gone.keys()].sort()
  }

  /** All links of the earlier tree. */
  get links(): readonly ShelfLink[] {
    return this.#links
  }

  /** @returns whether the repository's packages can be taken over */
  async add({ repository, folder, gone }: TakenPackages): Promise<boolean> {
    const { folder: publication, manifest } = this.#earlier
    // What lies beside metadata is linked file by file.
    if (manifest.direct.some(({ supersededAt }) => supersededAt === null)) return false
    if (this.#links.length === 0) this.#links = await findShelfLinks(publication.folderOf(manifest.name))
    const own = this.#linksOf(repository)
    const stands = ({ folder: link, below }: ShelfLink) => link === inTree(folder, below)
    if (own.length === 0 || !own.every(stands)) return false
    this.#gone.set(repository, gone)
    return true
  }

  /** Paths that are not taken over. */
  goneOf(repository: RepositoryId): ReadonlySet<RelativePath> {
    return this.#gone.get(repository) ?? new Set()
  }

  /**
   * Claims what is taken over and what is placed beside it on the shelves of before.
   * @returns `null` where that cannot be, and nothing is claimed
   * @throws TreeIncomplete
   */
  async claim(shelves: Shelves, placed: PlacedBeside, terms: ClaimTerms): Promise<ClaimedStands | null> {
    await using locks = new AsyncDisposableStack()
    const stands: ShelfStand[] = []
    let packages = 0
    for (const repository of this.repositories) {
      const opened = locks.use(await shelves.open(repository))
      const claimed = await opened.claimLike({
        ...terms,
        earlier: this.at,
        gone: this.goneOf(repository),
        files: placed.get(repository) ?? new Map(),
        linked: this.#linkedOf(repository),
      })
      if (claimed === null) {
        await locks.disposeAsync()
        for (const { repository: other, claim } of stands) {
          await using others = await shelves.open(other)
          await others.withdraw(claim, [])
        }
        return null
      }
      stands.push(claimed.stand)
      packages += claimed.packages
    }
    const links = new Map(this.#links.map(({ folder, repository }) => [folder, repository]))
    return { stands, packages, layout: { links, shelved: new Map(), direct: [] }, locks: locks.move() }
  }

  /** Where on the repository's shelf its links lead to; empty for all of it. */
  #linkedOf(repository: RepositoryId): readonly string[] {
    return this.#linksOf(repository).map(({ below }) => below)
  }

  /**
   * What was placed besides, by repository.
   * @returns `null` where the earlier tree's links do not show it, or show repositories that are not taken over
   */
  sortOut(
    packages: ReadonlyMap<RelativePath, BlobRef & { readonly repository: RepositoryId }>,
    mounts: Mounts,
  ): PlacedBeside | null {
    if (this.#links.some(({ repository }) => !this.#gone.has(repository))) return null
    const found = new Map([...this.#gone.keys()].map((each) => [each, new Map<RelativePath, BlobRef>()]))
    const linked = new Map([...found.keys()].map((each) => [each, this.#linkedOf(each)]))
    for (const [path, { repository, digest, size }] of packages) {
      const file = mounts.onShelf(repository, path)
      const isShown = linked.get(repository)?.some((below) => below === '' || file.startsWith(`${below}/`))
      if (!isShown) return null
      found.get(repository)?.set(parseRelativePath(file), { digest, size })
    }
    return found
  }

  #linksOf(repository: RepositoryId): readonly ShelfLink[] {
    return this.#links.filter((link) => link.repository === repository)
  }
}

function inTree(folder: RelativePath | null, below: string): string {
  if (folder === null) return below
  return below === '' ? folder : joinRelativePath(folder, parseRelativePath(below))
}
