import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { ByteSource } from '../core/bytes.ts'
import type { ChecksumAlgorithm } from '../core/digest.ts'
import { isChantalError } from '../core/errors.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { PublishedRole, WrittenFile } from '../core/publication.ts'
import { flushFileSystem, flushOne } from '../pool/flush.ts'
import type { Pool } from '../pool/pool.ts'
import { explainDiskError } from '../pool/system-errors.ts'
import { type CarriedFiles, carriedFiles } from './carried-files.ts'
import { linkOrCopy } from './copy-blob.ts'
import { sizeOf } from './damaged-files.ts'
import { type EarlierGeneration, findShelfLinks } from './earlier-generation.ts'
import type { DirectEntry, GenerationManifest, MetadataEntry } from './generation-manifest.ts'
import type { Measured } from './measured-bytes.ts'
import type { PublicationFolder } from './publication-folder.ts'
import type { Generation, GenerationName, PublicationStage, TakenPackages } from './publications.ts'
import { claimName } from './shelf-claim.ts'
import type { Shelves } from './shelves.ts'
import { type PlacedPackages, StagedPackages } from './staged-packages.ts'
import { StagedTree } from './staged-tree.ts'
import type { TreeLayout } from './tree-layout.ts'

/** Moments of a commit, in order: a test that ends the process there shows what a crash leaves. */
export type Checkpoint =
  | 'before links'
  | 'after link'
  | 'after links'
  | 'after flush'
  | 'after shelves'
  | 'before switch'
  | 'after switch'

export interface StageOptions {
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
  readonly #packages: StagedPackages
  #notes: readonly string[] = []
  #state: 'open' | 'committing' | 'committed' | 'given up' = 'open'

  /** The generation's folder and its `incoming` exist and are empty. */
  constructor(options: StageOptions) {
    const { folder, name, publishedAt, pool } = options
    this.name = name
    this.publishedAt = publishedAt
    this.#options = options
    const placed: PlacedPackages = new Map()
    this.#tree = new StagedTree({
      folder: folder.folderOf(name),
      incoming: folder.incomingOf(name),
      pool,
      publishedAt,
      hasHardLinks: true,
      others: placed,
    })
    this.#packages = new StagedPackages({ ...options, placed, tree: this.#tree })
  }

  get packageLinks(): number {
    return this.#packages.linked
  }

  async place(file: StoredFile, repository: RepositoryId, folder: RelativePath | '' = ''): Promise<void> {
    this.#refuseSpent()
    this.#packages.place(file, repository, folder)
  }

  async takePackages(packages: TakenPackages): Promise<boolean> {
    this.#refuseSpent()
    return this.#packages.take(packages)
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
      await this.#packages.withdraw()
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
    const { root, folder, checkpoint, previous, graceMs, earlier } = this.#options
    if (earlier?.isRepeated) await this.#repeat(earlier)
    await this.#packages.settle()
    const carried = this.#stillThere(
      carriedFiles(previous, {
        has: (file) => this.#tree.has(file),
        files: [...this.#tree.entries.keys(), ...this.#packages.placed()],
        publishedAt: this.publishedAt,
        graceMs,
      }),
    )
    const beside = [...carried.metadata, ...carried.direct]
    checkpoint('before links')
    await this.#carry(beside)
    const layout = await this.#packages.stand(
      beside.map(({ path }) => path),
      async (paths) => {
        await this.#tree.check()
        // One waits for the disk, the other computes.
        const flushed = flushFileSystem(root, [...this.#tree.paths(), ...paths])
        const results = await Promise.allSettled([this.#tree.checkRepeated(), flushed])
        for (const result of results) if (result.status === 'rejected') throw result.reason
      },
    )
    await fs.rm(folder.incomingOf(this.name), { force: true, recursive: true })
    if (this.#notes.length > 0) await folder.writeNotes(this.name, this.#notes)
    else if (earlier?.isRepeated) await folder.repeatNotes(earlier.folder, earlier.manifest.name, this.name)
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
    const own = manifest.metadata.filter(({ supersededAt }) => supersededAt === null)
    await this.#tree.repeat(tree, own)
    await this.#packages.repeat(manifest, await findShelfLinks(tree))
  }

  /** Without what somebody or a disk has damaged: who looks for it finds nothing of use already. */
  #stillThere({ metadata, direct }: CarriedFiles): CarriedFiles {
    const { folder, previous } = this.#options
    if (previous === null) return { metadata, direct }
    const tree = folder.folderOf(previous.name)
    const isThere = ({ path: file, size }: MetadataEntry | DirectEntry) =>
      sizeOf(path.join(tree, file)) === size
    return { metadata: metadata.filter(isThere), direct: direct.filter(isThere) }
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
    return {
      publication: this.#options.folder.path,
      name: this.name,
      publishedAt: this.publishedAt,
      files: this.#tree.entries.size + this.#packages.count,
      repositories: [...new Set(layout.links.values())].sort(),
      metadata: [...this.#tree.entries.values(), ...carried.metadata],
      direct: [...this.#packages.entriesOf(layout.direct), ...carried.direct],
    }
  }
}
