import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { BlobRef } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import { ChantalError, hasSystemCode, isChantalError } from '../core/errors.ts'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import { flushOne } from '../pool/flush.ts'
import type { Pool } from '../pool/pool.ts'
import { explainDiskError } from '../pool/system-errors.ts'
import { checkFiles } from './check-files.ts'
import { type Checkpoint, DirectoryStage } from './directory-stage.ts'
import type { EarlierGeneration } from './earlier-generation.ts'
import { openExport } from './export-stage.ts'
import { folderMode, makeFolders, openToReaders, orNull } from './folders.ts'
import type { GenerationManifest } from './generation-manifest.ts'
import { damaged, unlessDamaged } from './manifest-text.ts'
import { type OpenedGeneration, openGeneration } from './opened-generation.ts'
import { generationOf, PublicationFolder } from './publication-folder.ts'
import type {
  DamagedFile,
  EarlierAt,
  FileCheck,
  Generation,
  GenerationAt,
  GenerationName,
  PruneTerms,
  PublicationStage,
  Publications,
  PublishedTrouble,
} from './publications.ts'
import { generationName, nextPublishTime } from './publish-time.ts'
import { PublishedCopies } from './published-copies.ts'
import { isInTheWay, type PublishedPackage, packageIn, replace } from './published-package.ts'
import { rebuildManifest } from './rebuilt-manifest.ts'
import { claimName } from './shelf-claim.ts'
import { type LockShelf, Shelves } from './shelves.ts'

export interface PublicationsOptions {
  /** An absolute path: `storage.published_path`. */
  readonly root: string
  readonly pool: Pool
  /** How long clients midway find what they have been told of. */
  readonly graceMs: number
  /** Held while a shelf changes. Without it, only this object's own work on one shelf is serialized. */
  readonly lockShelf?: LockShelf
  readonly checkpoint?: (name: Checkpoint) => void
}

/**
 * Opens the published folder, made where it is missing, and readable by everybody.
 * @throws ChantalError `NOT_WRITABLE`, `DISK_FULL`
 */
export async function openPublications(options: PublicationsOptions): Promise<Publications> {
  try {
    await makeFolders(options.root)
    await openToReaders(options.root)
  } catch (error) {
    throw explainDiskError(error, options.root)
  }
  return new DirectoryPublications(options)
}

class DirectoryPublications implements Publications {
  readonly #options: PublicationsOptions
  readonly #shelves: Shelves

  constructor(options: PublicationsOptions) {
    this.#options = options
    this.#shelves = new Shelves({
      published: options.root,
      pool: options.pool,
      lockShelf: options.lockShelf,
    })
  }

  async begin(
    published: RelativePath,
    now: Date,
    earlier: EarlierAt | null = null,
  ): Promise<PublicationStage> {
    return this.#begin(this.#folder(published), now, earlier && (await this.#earlier(earlier)))
  }

  async current(published: RelativePath): Promise<Generation | null> {
    const manifest = await this.#currentManifest(this.#folder(published))
    return manifest && asGeneration(manifest)
  }

  async generations(published: RelativePath): Promise<readonly Generation[]> {
    return (await this.#manifests(this.#folder(published))).map(asGeneration)
  }

  async list(): Promise<readonly RelativePath[]> {
    const found: RelativePath[] = []
    await this.#collect('', found)
    return found.sort()
  }

  async open({ path: published, generation }: GenerationAt): Promise<OpenedGeneration | null> {
    const folder = this.#folder(published)
    const manifest = await this.#manifestOf(folder, generation)
    return manifest && !manifest.isRebuilt ? openGeneration(folder, manifest) : null
  }

  async remove(published: RelativePath): Promise<void> {
    const folder = this.#folder(published)
    try {
      if ((await folder.currentName()) !== null) {
        await fs.rm(folder.link, { force: true })
        await flushOne(folder.parent)
      }
      for (const name of await folder.namesOnDisk()) await this.#drop(folder, name)
    } catch (error) {
      throw explainDiskError(error, folder.link)
    }
  }

  async clearShelves(repository: RepositoryId, now: Date): Promise<void> {
    try {
      await using shelves = await this.#shelves.open(repository)
      await shelves.sweep({ graceMs: 0, now })
    } catch (error) {
      throw explainDiskError(error, this.#options.root)
    }
  }

  async damagedFiles(published: RelativePath, check: FileCheck, signal: AbortSignal) {
    const folder = this.#folder(published)
    try {
      const manifest = await this.#currentManifest(folder)
      const parts = { pool: this.#options.pool, shelves: this.#shelves, folder }
      const records = await this.#checkManifests(folder, check)
      return manifest ? [...records, ...(await checkFiles(parts, manifest, check, signal))] : records
    } catch (error) {
      throw explainDiskError(error, folder.link)
    }
  }

  async prune(
    published: RelativePath,
    { keep, uncounted, graceMs, now }: PruneTerms,
  ): Promise<readonly GenerationName[]> {
    const folder = this.#folder(published)
    const dropped: GenerationName[] = []
    try {
      const manifests = await this.#manifests(folder)
      let counted = 0
      for (const [index, { name }] of manifests.entries()) {
        const successor = manifests[index - 1]
        const counts = !uncounted?.has(name)
        if (counts) counted += 1
        if (successor === undefined || (counts && counted <= keep)) continue
        if (now.getTime() - successor.publishedAt.getTime() < graceMs) continue
        await this.#drop(folder, name)
        dropped.push(name)
      }
      await this.#shelves.sweep({ graceMs, now })
    } catch (error) {
      throw explainDiskError(error, this.#options.root)
    }
    return dropped
  }

  async copies(blobs: readonly BlobRef[]): Promise<PublishedCopies> {
    const copies = new PublishedCopies()
    if (blobs.length === 0) return copies
    const digests = new Set(blobs.map(({ digest }) => digest))
    for await (const { file, blob } of this.#packages(digests, copies.troubles)) await copies.add(file, blob)
    // Which bytes metadata has, no manifest says; those of the same size are few.
    const bySize = Map.groupBy(blobs, ({ size }) => size)
    // The troubles are those of the first time.
    for await (const { root, manifest } of this.#everyGeneration([])) {
      for (const entry of manifest.metadata)
        for (const blob of bySize.get(entry.size) ?? []) await copies.add(path.join(root, entry.path), blob)
    }
    return copies
  }

  async replaceFiles(digests: ReadonlySet<Sha256>): Promise<readonly PublishedTrouble[]> {
    const { pool, root } = this.#options
    const troubles: PublishedTrouble[] = []
    try {
      for await (const published of this.#packages(digests, troubles)) {
        const reason = await whyNotReplaced(pool, published)
        if (reason !== null) troubles.push({ path: path.relative(root, published.file), reason })
      }
    } catch (error) {
      throw explainDiskError(error, root)
    }
    return troubles
  }

  async exportTo(target: string, now: Date): Promise<PublicationStage> {
    return openExport({ target, pool: this.#options.pool, publishedAt: nextPublishTime(now, null) })
  }

  /** Packages that stand somewhere with these bytes, or should. A shelf's lock is held while its packages come. */
  async *#packages(
    digests: ReadonlySet<Sha256>,
    troubles: PublishedTrouble[],
  ): AsyncGenerator<PublishedPackage> {
    for (const repository of await this.#shelves.repositories()) {
      await using shelves = await orTrouble(
        this.#shelves.open(repository),
        `.shelves/${repository}`,
        troubles,
      )
      if (!shelves) continue
      for (const list of shelves.unclearLists())
        troubles.push({ path: `.shelves/${repository}`, reason: damaged(list).message })
      yield* shelves.packages(digests)
    }
    for await (const { root, manifest } of this.#everyGeneration(troubles))
      for (const entry of manifest.direct) if (digests.has(entry.digest)) yield packageIn(root, entry)
  }

  async *#everyGeneration(troubles: PublishedTrouble[]): AsyncGenerator<{
    readonly root: string
    readonly manifest: GenerationManifest
  }> {
    for (const published of await this.list()) {
      const folder = this.#folder(published)
      for (const manifest of (await orTrouble(this.#manifests(folder), published, troubles)) ?? []) {
        const root = folder.folderOf(manifest.name)
        if (manifest.isRebuilt)
          troubles.push({ path: published, reason: damaged(`${root}.manifest`).message })
        yield { root, manifest }
      }
    }
  }

  #folder(published: RelativePath): PublicationFolder {
    return new PublicationFolder(this.#options.root, published)
  }

  async #begin(
    folder: PublicationFolder,
    now: Date,
    earlier: EarlierGeneration | null,
  ): Promise<DirectoryStage> {
    try {
      await folder.prepare(this.#options.root)
      const manifests = await this.#manifests(folder)
      for (const manifest of manifests) if (manifest.isRebuilt) await folder.writeManifest(manifest)
      const previous = manifests[0] ?? null
      await this.#dropDeadStages(folder, manifests)
      const last = await folder.lastPublishedAt()
      const publishedAt = nextPublishTime(now, laterOf(last, previous?.publishedAt ?? null))
      const name = await this.#makeFolders(folder, publishedAt)
      const { root, pool, graceMs, checkpoint = () => {} } = this.#options
      const recent = currentAfter(manifests, publishedAt.getTime() - graceMs)
      const place = { root, pool, graceMs, checkpoint, shelves: this.#shelves, folder }
      return new DirectoryStage({ ...place, previous, recent, name, publishedAt, earlier })
    } catch (error) {
      throw explainDiskError(error, folder.link)
    }
  }

  async #makeFolders(folder: PublicationFolder, publishedAt: Date): Promise<GenerationName> {
    for (let counter = 1; ; counter++) {
      const name = generationName(publishedAt, counter)
      try {
        await fs.mkdir(folder.folderOf(name), { mode: folderMode })
      } catch (error) {
        if (hasSystemCode(error, 'EEXIST')) continue
        throw error
      }
      await fs.chmod(folder.folderOf(name), folderMode)
      await makeFolders(folder.incomingOf(name))
      return name
    }
  }

  async #currentManifest(folder: PublicationFolder): Promise<GenerationManifest | null> {
    const name = await folder.currentName()
    return name === null ? null : this.#readManifest(folder, name, name)
  }

  /** As it can be told where it is damaged. Without one a generation is an unfinished stage, but for the current one: that was finished. */
  async #readManifest(
    folder: PublicationFolder,
    name: GenerationName,
    current: GenerationName | null,
  ): Promise<GenerationManifest | null> {
    const manifest = await unlessDamaged(() => folder.readManifest(name), 'damaged')
    if (manifest === 'damaged' || (manifest === null && name === current))
      return rebuildManifest(folder, name)
    return manifest
  }

  /** Generations that clients may be using, and whose manifests are damaged or gone. */
  async #damagedManifests(folder: PublicationFolder): Promise<readonly GenerationName[]> {
    const current = await folder.currentName()
    const damaged: GenerationName[] = []
    for (const name of current === null ? [] : await folder.namesOnDisk()) {
      const manifest = await unlessDamaged(() => folder.readManifest(name), 'damaged')
      if (manifest === 'damaged' || (manifest === null && name === current)) damaged.push(name)
    }
    return damaged
  }

  async #checkManifests(folder: PublicationFolder, { repair }: FileCheck): Promise<readonly DamagedFile[]> {
    const damaged: DamagedFile[] = []
    for (const name of await this.#damagedManifests(folder)) {
      if (repair) await folder.writeManifest(await rebuildManifest(folder, name))
      const file = `${path.relative(this.#options.root, folder.folderOf(name))}.manifest`
      damaged.push({ path: file, isRecord: true, isRestored: repair })
    }
    return damaged
  }

  /** Newest first. What is newer than the current one was never switched to. */
  async #manifests(folder: PublicationFolder): Promise<readonly GenerationManifest[]> {
    const current = await folder.currentName()
    const manifests: GenerationManifest[] = []
    for (const name of current === null ? [] : await folder.namesOnDisk()) {
      const manifest = await this.#readManifest(folder, name, current)
      if (manifest) manifests.push(manifest)
    }
    manifests.sort((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime())
    const index = manifests.findIndex(({ name }) => name === current)
    return index < 0 ? [] : manifests.slice(index)
  }

  /** The caller holds the publication's lease, so whoever was at work on another stage of it is gone. */
  async #dropDeadStages(folder: PublicationFolder, manifests: readonly GenerationManifest[]): Promise<void> {
    const alive = new Set(manifests.map(({ name }) => name))
    const current = await folder.currentName()
    for (const name of await folder.namesOnDisk()) {
      if (alive.has(name) || name === current) continue
      await folder.unlist(name)
      await this.#shelves.dropDeadClaims(claimName(folder.path, name))
      await folder.removeTree(name)
    }
  }

  async #drop(folder: PublicationFolder, name: GenerationName): Promise<void> {
    await folder.unlist(name)
    await this.#shelves.dropClaims(claimName(folder.path, name))
    await folder.removeTree(name)
  }

  async #manifestOf(folder: PublicationFolder, name: GenerationName): Promise<GenerationManifest | null> {
    return (await this.#manifests(folder)).find((manifest) => manifest.name === name) ?? null
  }

  async #earlier({ path: published, generation, isRepeated }: EarlierAt): Promise<EarlierGeneration> {
    const folder = this.#folder(published)
    const manifest = await this.#manifestOf(folder, generation)
    if (manifest) return { folder, manifest, isRepeated }
    throw new ChantalError('NOT_FOUND', `no generation ${generation} of ${published}`, {
      hint: 'List those that are left with `chantal publish list`.',
      details: { path: published, generation },
    })
  }

  async #collect(folder: RelativePath | '', found: RelativePath[]): Promise<void> {
    const absolute = path.join(this.#options.root, folder)
    for (const entry of (await orNull(fs.readdir(absolute, { withFileTypes: true }))) ?? []) {
      if (entry.name.startsWith('.')) continue
      const each = parseRelativePath(folder === '' ? entry.name : `${folder}/${entry.name}`)
      if (entry.isDirectory()) await this.#collect(each, found)
      if (!entry.isSymbolicLink()) continue
      const target = await fs.readlink(path.join(absolute, entry.name))
      if (generationOf(target, entry.name) !== null) found.push(each)
    }
  }
}

/** `null`, and noted among the troubles, where what lists published files is damaged or cannot be read. */
async function orTrouble<T>(
  work: Promise<T>,
  published: string,
  troubles: PublishedTrouble[],
): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    const isUnreadable =
      isChantalError(error, 'CATALOG_CORRUPT', 'CATALOG_TOO_NEW') ||
      hasSystemCode(error, 'EACCES', 'EPERM', 'EIO', 'EISDIR')
    if (!isUnreadable || !(error instanceof Error)) throw error
    troubles.push({ path: published, reason: error.message })
    return null
  }
}

/** `null` once the pool's bytes are there. */
async function whyNotReplaced(pool: Pool, published: PublishedPackage): Promise<string | null> {
  try {
    await replace(pool, published)
    return null
  } catch (error) {
    if (isInTheWay(error)) return 'something else stands in its place'
    const explained = explainDiskError(error, published.file)
    if (isChantalError(explained, 'BLOB_MISSING', 'BLOB_CORRUPT', 'NOT_WRITABLE')) return explained.message
    throw error
  }
}

function asGeneration({ name, files, publishedAt }: GenerationManifest): Generation {
  return { name, files, publishedAt }
}

/** Those that were current after `time`: whoever read their metadata then may still be at work. */
function currentAfter(manifests: readonly GenerationManifest[], time: number): GenerationName[] {
  const recent: GenerationName[] = []
  for (const [index, { name }] of manifests.entries()) {
    const successor = manifests[index - 1]
    if (successor === undefined || successor.publishedAt.getTime() > time) recent.push(name)
  }
  return recent
}

function laterOf(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return one > other ? one : other
}
