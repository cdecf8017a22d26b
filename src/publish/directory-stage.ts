import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { BlobRef, ByteSource } from '../core/bytes.ts'
import type { ChecksumAlgorithm } from '../core/digest.ts'
import { isChantalError } from '../core/errors.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import { joinRelativePath, parseRelativePath, type RelativePath } from '../core/path.ts'
import type { PublishedRole, WrittenFile } from '../core/publication.ts'
import { flushFileSystem, flushOne } from '../pool/flush.ts'
import type { Pool } from '../pool/pool.ts'
import { explainDiskError } from '../pool/system-errors.ts'
import { type CarriedFiles, carriedFiles } from './carried-files.ts'
import { checkSize, linkOrCopy } from './copy-blob.ts'
import { disturbLinks, type EarlierGeneration, findShelfLinks, type ShelfLink } from './earlier-generation.ts'
import { forEachConcurrently, orNull } from './folders.ts'
import type { GenerationManifest } from './generation-manifest.ts'
import type { Measured } from './measured-bytes.ts'
import { Mounts } from './mounts.ts'
import type { PublicationFolder } from './publication-folder.ts'
import type {
  Generation,
  GenerationAt,
  GenerationName,
  PublicationStage,
  TakenPackages,
} from './publications.ts'
import { claimName } from './shelf-claim.ts'
import type { ShelfStand } from './shelf-stand.ts'
import type { Shelves } from './shelves.ts'
import { StagedTree } from './staged-tree.ts'
import { type PlacedBeside, TakenOver } from './taken-over.ts'
import { layOutTree, type TreeLayout } from './tree-layout.ts'

/** Moments of a commit, in order: a test that ends the process there shows what a crash leaves. */
export type Checkpoint =
  | 'before links'
  | 'after link'
  | 'after links'
  | 'after flush'
  | 'after shelves'
  | 'before switch'
  | 'after switch'

interface StageOptions {
  readonly root: string
  readonly folder: PublicationFolder
  readonly name: GenerationName
  readonly publishedAt: Date
  readonly previous: GenerationManifest | null
  /** Generations that clients may still have the metadata of. */
  readonly recent: readonly GenerationName[]
  readonly pool: Pool
  readonly shelves: Shelves
  readonly graceMs: number
  readonly checkpoint: (name: Checkpoint) => void
  readonly earlier: EarlierGeneration | null
}

/** A generation in the making: metadata is written as it comes, packages are linked at the end, when it is known where. */
export class DirectoryStage implements PublicationStage {
  readonly name: GenerationName
  readonly publishedAt: Date
  readonly #options: StageOptions
  readonly #tree: StagedTree
  readonly #packages = new Map<RelativePath, BlobRef & { readonly repository: RepositoryId }>()
  readonly #mounts = new Mounts()
  readonly #stands: ShelfStand[] = []
  #packageLinks = 0
  #notes: readonly string[] = []
  readonly #taken: TakenOver | null
  /** Packages shown that were not placed: repeated, or taken over. */
  #otherPackages = 0
  #repeatedLinks: readonly ShelfLink[] = []
  #state: 'open' | 'committing' | 'committed' | 'given up' = 'open'

  /** The generation's folder and its `incoming` exist and are empty. */
  constructor(options: StageOptions) {
    const { folder, name, publishedAt, pool, earlier } = options
    this.name = name
    this.publishedAt = publishedAt
    this.#options = options
    this.#taken = earlier && !earlier.isRepeated ? new TakenOver(earlier) : null
    this.#tree = new StagedTree({
      folder: folder.folderOf(name),
      incoming: folder.incomingOf(name),
      pool,
      publishedAt,
      hasHardLinks: true,
      others: this.#packages,
    })
  }

  get packageLinks(): number {
    return this.#packageLinks
  }

  async place(file: StoredFile, repository: RepositoryId, folder: RelativePath | '' = ''): Promise<void> {
    this.#refuseSpent()
    this.#mounts.set(repository, folder)
    const target = joinRelativePath(folder, file.path)
    if (!this.#tree.isFree(target, file.digest)) return
    this.#packages.set(target, { digest: file.digest, size: file.size, repository })
  }

  async takePackages(packages: TakenPackages): Promise<boolean> {
    this.#refuseSpent()
    this.#mounts.set(packages.repository, packages.folder ?? '')
    return (await this.#taken?.add(packages)) ?? false
  }

  async copy(file: StoredFile, role: PublishedRole): Promise<void> {
    this.#refuseSpent()
    await this.#tree.copy(file, role)
  }

  async write(
    target: RelativePath | ((written: Measured) => RelativePath),
    content: ByteSource | Uint8Array | string,
    role: PublishedRole,
    algorithms?: readonly ChecksumAlgorithm[],
  ): Promise<WrittenFile> {
    this.#refuseSpent()
    return this.#tree.write(target, content, role, algorithms)
  }

  async alias(target: RelativePath, of: RelativePath, role: PublishedRole): Promise<void> {
    this.#refuseSpent()
    await this.#tree.alias(target, of, role)
  }

  note(lines: readonly string[]): void {
    this.#refuseSpent()
    this.#notes = lines
  }

  async commit(): Promise<Generation> {
    this.#refuseSpent()
    this.#state = 'committing'
    try {
      const generation = await this.#finish()
      this.#state = 'committed'
      return generation
    } catch (error) {
      throw explainDiskError(error, this.#options.root)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'committed' || this.#state === 'given up') return
    this.#state = 'given up'
    const { folder, shelves } = this.#options
    // The switch may have been the last thing that worked: then clients see this generation, and it stays.
    if ((await folder.currentName()) === this.name) return
    await folder.unlist(this.name)
    try {
      for (const { repository, claim, added } of this.#stands) {
        await using repositoryShelves = await shelves.open(repository)
        await repositoryShelves.withdraw(claim, added)
      }
      await shelves.dropDeadClaims(claimName(folder.path, this.name))
    } catch (error) {
      // What ended the stage may end this too (a full disk, a lost lease), and must not hide it. The folder stays, so that
      // the next `begin` finds the dead stage.
      if (isChantalError(error) || isChantalError(explainDiskError(error, folder.link))) return
      throw error
    }
    await folder.removeTree(this.name)
  }

  #refuseSpent(): void {
    if (this.#state !== 'open') throw new Error(`the stage of ${this.name} is ${this.#state}`)
  }

  async #finish(): Promise<Generation> {
    const { folder, checkpoint, previous, graceMs, earlier } = this.#options
    if (earlier?.isRepeated) await this.#repeat(earlier)
    const placed = await this.#settleTaken()
    const carried = carriedFiles(previous, {
      has: (file) => this.#tree.has(file),
      files: [...this.#tree.entries.keys(), ...this.#packages.keys()],
      publishedAt: this.publishedAt,
      graceMs,
    })
    const beside = [...carried.metadata, ...carried.direct]
    checkpoint('before links')
    await this.#carry(beside)
    const layout = await this.#standOnShelves(
      beside.map(({ path }) => path),
      placed,
    )
    await fs.rm(folder.incomingOf(this.name), { force: true, recursive: true })
    if (this.#notes.length > 0) await folder.writeNotes(this.name, this.#notes)
    const manifest = this.#manifest(layout, carried)
    await folder.writeManifest(manifest)
    await folder.notePublishTime(this.publishedAt)
    checkpoint('before switch')
    await folder.switchTo(this.name)
    checkpoint('after switch')
    await flushOne(folder.parent)
    return { name: this.name, files: manifest.files, publishedAt: this.publishedAt }
  }

  /** What the stage has not got of its own is as in the generation before. */
  async #repeat({ folder, manifest }: EarlierGeneration): Promise<void> {
    const tree = folder.folderOf(manifest.name)
    const metadata = manifest.metadata.filter(({ supersededAt }) => supersededAt === null)
    for (const entry of metadata) {
      if (!this.#tree.has(entry.path)) await this.#tree.copyFrom(path.join(tree, entry.path), entry)
    }
    const direct = manifest.direct.filter(({ supersededAt }) => supersededAt === null)
    for (const entry of direct) {
      if (!this.#tree.isFree(entry.path, entry.digest)) continue
      const { digest, size, repository } = entry
      this.#packages.set(entry.path, { digest, size, repository })
    }
    if (this.#notes.length === 0) this.#notes = await folder.readNotes(manifest.name)
    const links = await findShelfLinks(tree)
    if (!this.#disturbs(links) && (await this.#repeatClaims(manifest))) {
      this.#repeatedLinks = links
      this.#otherPackages = manifest.files - metadata.length - direct.length
      return
    }
    for (const link of links) this.#mounts.learn(link)
    const at = { path: manifest.publication, generation: manifest.name }
    for (const repository of manifest.repositories) await this.#placeClaimed(repository, at, new Set())
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
      const target = this.#mounts.inTree(repository, file)
      if (this.#tree.isFree(target, blob.digest)) this.#packages.set(target, { ...blob, repository })
    }
  }

  /** Whether what this stage holds, or may have to carry along, lies where a link is to be. */
  #disturbs(links: readonly ShelfLink[]): boolean {
    const { metadata = [], direct = [] } = this.#options.previous ?? {}
    const files = [...metadata, ...direct].map((entry) => entry.path).concat([...this.#tree.entries.keys()])
    return disturbLinks(files, links)
  }

  /** @returns whether the packages stand where the generations before had theirs, so that nothing has to come along */
  async #repeatClaims({ publication, name, repositories }: GenerationManifest): Promise<boolean> {
    const { folder, recent, shelves, previous } = this.#options
    if (previous?.repositories.some((repository) => !repositories.includes(repository))) return false
    for (const repository of [...repositories].sort()) {
      const repeated = await shelves.repeatClaim(repository, {
        from: { path: publication, generation: name },
        to: { path: folder.path, generation: this.name },
        recent,
      })
      if (!repeated) return false
    }
    return true
  }

  /**
   * Links, checks, flushes and lists, all under the locks of the shelves concerned, taken in order of their names.
   * @param beside paths of what was carried along
   * @param placed see {@link #settleTaken}
   */
  async #standOnShelves(beside: readonly RelativePath[], placed: PlacedBeside | null): Promise<TreeLayout> {
    const { root, shelves, checkpoint } = this.#options
    await using locks = new AsyncDisposableStack()
    const layout = await this.#claim(beside, placed, locks)
    await this.#linkDirect(layout)
    for (const stand of this.#stands) await stand.link(() => this.#countLink())
    await this.#linkFolders(layout)
    for (const { folder, repository, shelf, below } of this.#repeatedLinks) {
      await this.#linkFolder(folder, path.join(shelves.folderOf(repository), String(shelf), below))
    }
    checkpoint('after links')
    await this.#tree.check()
    await flushFileSystem(root, this.#writtenPaths())
    checkpoint('after flush')
    for (const stand of this.#stands) await stand.save()
    checkpoint('after shelves')
    return layout
  }

  /**
   * What was placed beside packages that are taken over, where the links of before may show it all; otherwise everything is placed one by
   * one, and `null`.
   */
  async #settleTaken(): Promise<PlacedBeside | null> {
    const taken = this.#taken
    if (!taken || taken.repositories.length === 0) return null
    const placed = this.#disturbs(taken.links) ? null : taken.sortOut(this.#packages, this.#mounts)
    if (placed === null) await this.#placeTaken(taken)
    return placed
  }

  async #placeTaken(taken: TakenOver): Promise<void> {
    for (const repository of taken.repositories)
      await this.#placeClaimed(repository, taken.at, taken.goneOf(repository))
  }

  /** Has packages stand where they stood, and others beside them, if they can; else where the shelf has most of all. */
  async #claim(
    beside: readonly RelativePath[],
    placed: PlacedBeside | null,
    locks: AsyncDisposableStack,
  ): Promise<TreeLayout> {
    const { shelves } = this.#options
    if (this.#taken && placed) {
      const claimed = await this.#taken.claim(shelves, placed, this.#claimTerms())
      if (claimed) {
        locks.use(claimed.locks)
        this.#stands.push(...claimed.stands)
        this.#otherPackages += claimed.packages - this.#packages.size
        return claimed.layout
      }
      await this.#placeTaken(this.#taken)
    }
    const layout = layOutTree(this.#packages, [...this.#tree.entries.keys(), ...beside])
    for (const [repository, paths] of [...layout.shelved].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const repositoryShelves = locks.use(await shelves.open(repository))
      const files = this.#blobsOnShelf(repository, paths)
      this.#stands.push(await repositoryShelves.claim({ ...this.#claimTerms(), files }))
    }
    return layout
  }

  *#writtenPaths(): Generator<string> {
    yield* this.#tree.paths()
    for (const stand of this.#stands) yield* stand.paths()
  }

  #claimTerms() {
    const { folder, recent, graceMs } = this.#options
    const { name: generation, publishedAt } = this
    return { publication: folder.path, generation, recent, publishedAt, graceMs }
  }

  #blobsOnShelf(
    repository: RepositoryId,
    paths: readonly RelativePath[],
  ): ReadonlyMap<RelativePath, BlobRef> {
    if (paths.length === this.#packages.size && !this.#mounts.has(repository)) return this.#packages
    const blobs = new Map<RelativePath, BlobRef>()
    for (const file of paths) {
      const blob = this.#packages.get(file)
      if (blob) blobs.set(parseRelativePath(this.#mounts.onShelf(repository, file)), blob)
    }
    return blobs
  }

  #countLink(): void {
    this.#packageLinks += 1
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
    if (!(await orNull(fs.stat(link)))?.isDirectory()) throw new Error(`self-check: ${link} leads nowhere`)
  }

  async #linkDirect({ direct }: TreeLayout): Promise<void> {
    for (const file of direct) await this.#tree.makeFolderOf(file)
    await forEachConcurrently(direct, async (file) => {
      const blob = this.#packages.get(file)
      if (blob === undefined) return
      await this.#options.pool.place(blob.digest, this.#tree.absolute(file))
      await checkSize(blob, this.#tree.absolute(file))
      this.#countLink()
    })
  }

  /** Their time stays, so clients that have them are told so. */
  async #carry(carried: readonly { readonly path: RelativePath }[]): Promise<void> {
    const { folder, previous } = this.#options
    if (previous === null) return
    for (const entry of carried) {
      const source = path.join(folder.folderOf(previous.name), entry.path)
      await this.#tree.makeFolderOf(entry.path)
      await linkOrCopy(source, this.#tree.absolute(entry.path))
    }
  }

  #manifest(layout: TreeLayout, carried: CarriedFiles): GenerationManifest {
    const direct = layout.direct.flatMap((file) => {
      const blob = this.#packages.get(file)
      return blob ? [{ path: file, ...blob, supersededAt: null }] : []
    })
    return {
      publication: this.#options.folder.path,
      name: this.name,
      publishedAt: this.publishedAt,
      files: this.#tree.entries.size + this.#packages.size + this.#otherPackages,
      repositories: [
        ...new Set([...layout.links.values(), ...this.#repeatedLinks.map(({ repository }) => repository)]),
      ].sort(),
      metadata: [...this.#tree.entries.values(), ...carried.metadata],
      direct: [...direct, ...carried.direct],
    }
  }
}
