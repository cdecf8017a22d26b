import * as fs from 'node:fs/promises'
import path from 'node:path'
import { nameMissing } from '../core/blob-errors.ts'
import type { BlobRef } from '../core/bytes.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import { joinRelativePath, parseRelativePath, type RelativePath } from '../core/path.ts'
import { TreeIncomplete } from '../core/publication.ts'
import { checkSize } from './copy-blob.ts'
import type { StageOptions } from './directory-stage.ts'
import { disturbLinks, type ShelfLink } from './earlier-generation.ts'
import { forEachConcurrently, orNull } from './folders.ts'
import type { DirectEntry, GenerationManifest } from './generation-manifest.ts'
import { Mounts } from './mounts.ts'
import type { GenerationAt, TakenPackages } from './publications.ts'
import type { ShelfStand } from './shelf-stand.ts'
import type { StagedTree } from './staged-tree.ts'
import { type PlacedBeside, TakenOver } from './taken-over.ts'
import { layOutTree, type TreeLayout } from './tree-layout.ts'

/** Packages by their paths in the tree. */
export type PlacedPackages = Map<RelativePath, BlobRef & { readonly repository: RepositoryId }>

interface PackageOptions extends StageOptions {
  /** Filled here; `tree` reserves their paths. */
  readonly placed: PlacedPackages
  readonly tree: StagedTree
}

/** The packages of a generation in the making: placed, repeated or taken over first, linked at the end, when it is known where. */
export class StagedPackages {
  readonly #options: PackageOptions
  readonly #placed: PlacedPackages
  readonly #tree: StagedTree
  readonly #mounts = new Mounts()
  readonly #stands: ShelfStand[] = []
  readonly #taken: TakenOver | null
  /** What is placed beside those taken over; `null` where none are, or all are placed. */
  #beside: PlacedBeside | null = null
  /** Packages shown that were not placed. */
  #others = 0
  #repeatedLinks: readonly ShelfLink[] = []
  #linked = 0

  constructor(options: PackageOptions) {
    const { placed, tree, earlier } = options
    this.#options = options
    this.#placed = placed
    this.#tree = tree
    this.#taken = earlier && !earlier.isRepeated ? new TakenOver(earlier) : null
  }

  /** All that the generation shows, after {@link stand}. */
  get count(): number {
    return this.#placed.size + this.#others
  }

  /** Links that were made so far. */
  get linked(): number {
    return this.#linked
  }

  placed(): Iterable<RelativePath> {
    return this.#placed.keys()
  }

  place(file: StoredFile, repository: RepositoryId, folder: RelativePath | ''): void {
    this.#mounts.set(repository, folder)
    this.#put(joinRelativePath(folder, file.path), file, repository)
  }

  /** @see PublicationStage.takePackages */
  async take(packages: TakenPackages): Promise<boolean> {
    this.#mounts.set(packages.repository, packages.folder ?? '')
    return (await this.#taken?.add(packages)) ?? false
  }

  /** Shows what another generation does. @param links those of its tree @throws TreeIncomplete */
  async repeat(manifest: GenerationManifest, links: readonly ShelfLink[]): Promise<void> {
    const current = manifest.direct.filter(({ supersededAt }) => supersededAt === null)
    for (const entry of current) this.#put(entry.path, entry, entry.repository)
    if (!this.#disturbs(links) && (await this.#repeatClaims(manifest, links))) {
      this.#repeatedLinks = links
      const metadata = manifest.metadata.filter(({ supersededAt }) => supersededAt === null)
      this.#others = manifest.files - metadata.length - current.length
      return
    }
    for (const link of links) this.#mounts.learn(link)
    const at = { path: manifest.publication, generation: manifest.name }
    for (const repository of manifest.repositories) await this.#placeClaimed(repository, at, new Set())
  }

  /** Decides what can be taken over, now that all metadata is written; the rest is placed. */
  async settle(): Promise<void> {
    const taken = this.#taken
    if (!taken || taken.repositories.length === 0) return
    this.#beside = this.#disturbs(taken.links) ? null : taken.sortOut(this.#placed, this.#mounts)
    if (this.#beside === null) await this.#placeTaken(taken)
  }

  /**
   * Links and lists, all under the locks of the shelves concerned, taken in order of their names.
   * @param others paths of what was carried along
   * @param makeDurable called with paths of what was linked, before it is listed
   */
  async stand(
    others: readonly RelativePath[],
    makeDurable: (paths: Iterable<string>) => Promise<void>,
  ): Promise<TreeLayout> {
    const { shelves, checkpoint } = this.#options
    await using locks = new AsyncDisposableStack()
    const layout = await this.#claim(others, locks)
    await this.#linkDirect(layout)
    for (const stand of this.#stands) await stand.link(() => this.#countLink())
    await this.#linkFolders(layout)
    for (const { folder, repository, shelf, below } of this.#repeatedLinks) {
      await this.#linkFolder(folder, path.join(shelves.folderOf(repository), String(shelf), below))
    }
    checkpoint('after links')
    await makeDurable(this.#stands.flatMap((stand) => [...stand.paths()]))
    checkpoint('after flush')
    for (const stand of this.#stands) await stand.save()
    checkpoint('after shelves')
    const repeated = this.#repeatedLinks.map(({ folder, repository }) => [folder, repository] as const)
    return { ...layout, links: new Map([...layout.links, ...repeated]) }
  }

  /** Undoes {@link stand}. */
  async withdraw(): Promise<void> {
    for (const { repository, claim, added } of this.#stands) {
      await using shelves = await this.#options.shelves.open(repository)
      await shelves.withdraw(claim, added)
    }
  }

  /** As a manifest lists those that lie beside metadata. */
  entriesOf(direct: readonly RelativePath[]): readonly DirectEntry[] {
    return direct.flatMap((file) => {
      const blob = this.#placed.get(file)
      return blob ? [{ path: file, ...blob, supersededAt: null }] : []
    })
  }

  #put(target: RelativePath, { digest, size }: BlobRef, repository: RepositoryId): void {
    if (this.#tree.isFree(target, digest)) this.#placed.set(target, { digest, size, repository })
  }

  /** Places, one by one, what an earlier generation has of a repository, without `gone`. */
  async #placeClaimed(
    repository: RepositoryId,
    { path: publication, generation }: GenerationAt,
    gone: ReadonlySet<RelativePath>,
  ): Promise<void> {
    await using shelves = await this.#options.shelves.open(repository)
    for (const [file, blob] of await shelves.claimed(publication, generation)) {
      if (gone.has(file)) continue
      this.#put(this.#mounts.inTree(repository, file), blob, repository)
    }
  }

  /** Whether what the generation has, or may have to carry along, lies where a link is to be. */
  #disturbs(links: readonly ShelfLink[]): boolean {
    const { metadata = [], direct = [] } = this.#options.previous ?? {}
    const files = [...metadata, ...direct].map((entry) => entry.path).concat([...this.#tree.entries.keys()])
    return disturbLinks(files, links)
  }

  /** @returns whether the packages stand where the generations before had theirs, so that nothing has to come along */
  async #repeatClaims(
    { publication, name, repositories }: GenerationManifest,
    links: readonly ShelfLink[],
  ): Promise<boolean> {
    const { folder, name: generation, recent, shelves, previous } = this.#options
    if (previous?.repositories.some((repository) => !repositories.includes(repository))) return false
    for (const repository of [...repositories].sort()) {
      const repeated = await shelves.repeatClaim(repository, {
        from: { path: publication, generation: name },
        to: { path: folder.path, generation },
        links,
        recent,
      })
      if (!repeated) return false
    }
    return true
  }

  async #placeTaken(taken: TakenOver): Promise<void> {
    for (const repository of taken.repositories)
      await this.#placeClaimed(repository, taken.at, taken.goneOf(repository))
  }

  /** Has packages stand where they stood, and others beside them, if they can; else where the shelf has most of all. */
  async #claim(others: readonly RelativePath[], locks: AsyncDisposableStack): Promise<TreeLayout> {
    const { shelves } = this.#options
    if (this.#taken && this.#beside) {
      const claimed = await this.#taken.claim(shelves, this.#beside, this.#claimTerms())
      if (claimed) {
        locks.use(claimed.locks)
        this.#stands.push(...claimed.stands)
        this.#others += claimed.packages - this.#placed.size
        return claimed.layout
      }
      await this.#placeTaken(this.#taken)
    }
    const layout = layOutTree(this.#placed, [...this.#tree.entries.keys(), ...others])
    for (const [repository, paths] of [...layout.shelved].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const repositoryShelves = locks.use(await shelves.open(repository))
      const files = this.#blobsOnShelf(repository, paths)
      this.#stands.push(await repositoryShelves.claim({ ...this.#claimTerms(), files }))
    }
    return layout
  }

  #claimTerms() {
    const { folder, name: generation, recent, publishedAt, graceMs, earlier } = this.#options
    // Where nothing is taken from an earlier generation, all is to be right afterwards.
    const isAnew = earlier === null
    return { publication: folder.path, generation, recent, publishedAt, graceMs, isAnew }
  }

  #blobsOnShelf(
    repository: RepositoryId,
    paths: readonly RelativePath[],
  ): ReadonlyMap<RelativePath, BlobRef> {
    if (paths.length === this.#placed.size && !this.#mounts.has(repository)) return this.#placed
    const blobs = new Map<RelativePath, BlobRef>()
    for (const file of paths) {
      const blob = this.#placed.get(file)
      if (blob) blobs.set(parseRelativePath(this.#mounts.onShelf(repository, file)), blob)
    }
    return blobs
  }

  #countLink(): void {
    this.#linked += 1
    this.#options.checkpoint('after link')
  }

  async #linkFolders({ links }: TreeLayout): Promise<void> {
    for (const [folder, repository] of links) {
      const stand = this.#stands.find((each) => each.repository === repository)
      if (stand === undefined) throw new Error(`no shelf for ${repository}`)
      await this.#linkFolder(folder, path.join(stand.folder, this.#mounts.onShelf(repository, folder)))
    }
  }

  async #linkFolder(folder: string, target: string): Promise<void> {
    const link = this.#tree.absolute(parseRelativePath(folder))
    await this.#tree.makeFolderOf(parseRelativePath(folder))
    await fs.symlink(path.relative(path.dirname(link), target), link)
    if ((await orNull(fs.stat(link)))?.isDirectory()) return
    const message = `self-check: ${link} leads nowhere`
    throw this.#options.earlier ? new TreeIncomplete(message) : new Error(message)
  }

  async #linkDirect({ direct }: TreeLayout): Promise<void> {
    for (const file of direct) await this.#tree.makeFolderOf(file)
    await forEachConcurrently(direct, async (file) => {
      const blob = this.#placed.get(file)
      if (blob === undefined) return
      await this.#options.pool.place(blob.digest, this.#tree.absolute(file)).catch((error: unknown) => {
        throw nameMissing(error, file)
      })
      await checkSize(blob, this.#tree.absolute(file))
      this.#countLink()
    })
  }
}
