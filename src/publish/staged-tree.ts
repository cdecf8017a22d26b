import { closeSync, fchmodSync, futimesSync, openSync, writeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { nameMissing } from '../core/blob-errors.ts'
import type { BlobRef, ByteSource } from '../core/bytes.ts'
import type { ChecksumAlgorithm, Sha256 } from '../core/digest.ts'
import type { StoredFile } from '../core/model.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import { type PublishedRole, TreeIncomplete, type WrittenFile } from '../core/publication.ts'
import { pathTaken } from '../core/taken-path.ts'
import type { Pool } from '../pool/pool.ts'
import { explainDiskError } from '../pool/system-errors.ts'
import { copyBlob, linkOrCopy } from './copy-blob.ts'
import { digestOfFile } from './damaged-files.ts'
import { fileMode, makeFolders, orNull } from './folders.ts'
import type { MetadataEntry } from './generation-manifest.ts'
import { type Measured, MeasuredBytes, type MeasuredFile, measureWhole } from './measured-bytes.ts'
import { isInTheWay } from './published-package.ts'

/** Metadata files below one folder, each a fresh file of its own with the time of the publication. */
export class StagedTree {
  readonly folder: string
  readonly entries = new Map<RelativePath, MetadataEntry>()
  readonly #incoming: string
  readonly #pool: Pool
  readonly #publishedAt: Date
  /** Files of the tree that are not its business, and whose paths are taken. */
  readonly #others: ReadonlyMap<RelativePath, { readonly digest: Sha256 }>
  /** What stands at each path, or will. */
  readonly #digests = new Map<RelativePath, Sha256>()
  readonly #folders = new Set<string>()
  /** Whether a file may have several names. */
  readonly #hasHardLinks: boolean
  /** Files of another generation that have several names there, by inode: where the first of them was copied to. */
  readonly #copies = new Map<bigint, RelativePath>()
  /** Files with the bytes of another generation, which nobody has looked at yet. */
  readonly #unread: (BlobRef & { readonly path: RelativePath })[] = []
  #temporaryFiles = 0

  /** @param incoming an existing folder on the same file system, for files that have no name yet */
  constructor(options: {
    readonly folder: string
    readonly incoming: string
    readonly pool: Pool
    readonly publishedAt: Date
    readonly hasHardLinks: boolean
    readonly others?: ReadonlyMap<RelativePath, { readonly digest: Sha256 }>
  }) {
    this.folder = options.folder
    this.#incoming = options.incoming
    this.#pool = options.pool
    this.#publishedAt = options.publishedAt
    this.#hasHardLinks = options.hasHardLinks
    this.#others = options.others ?? new Map()
  }

  absolute(file: RelativePath): string {
    return path.join(this.folder, file)
  }

  /**
   * Reserves a path. @returns `false` where the same bytes are there already
   * @throws ChantalError `ALREADY_EXISTS` where others are
   */
  take(file: RelativePath, digest: Sha256): boolean {
    const isFree = this.isFree(file, digest)
    if (isFree) this.#digests.set(file, digest)
    return isFree
  }

  /** As {@link take}, for who puts something else there. */
  isFree(file: RelativePath, digest: Sha256): boolean {
    const before = this.#digests.get(file) ?? this.#others.get(file)?.digest
    if (before === undefined) return true
    if (before === digest) return false
    throw pathTaken(file, false)
  }

  has(file: RelativePath): boolean {
    return this.#digests.has(file) || this.#others.has(file)
  }

  async copy(file: StoredFile, role: PublishedRole): Promise<void> {
    const target = parseRelativePath(file.path)
    if (!this.take(target, file.digest)) return
    await this.#explained(target, async () => {
      await this.makeFolderOf(target)
      await copyBlob(this.#pool, file, this.absolute(target), this.#temporaryPath())
      await this.#stamp(target)
    })
    this.#enter(target, role, file)
  }

  /** Another path for a metadata file that stands in the tree. */
  async alias(path: RelativePath, of: RelativePath, role: PublishedRole): Promise<void> {
    const target = parseRelativePath(path)
    const size = this.entries.get(of)?.size
    const digest = this.#digests.get(of)
    if (size === undefined || digest === undefined) throw new Error(`neither written nor copied: ${of}`)
    if (!this.take(target, digest)) return
    await this.#explained(target, () => this.#alias(target, of))
    this.#enter(target, role, { size, digest })
  }

  /**
   * Repeats those files of another generation that this one has not got. What is one file there is one here. An addressed one is the very file,
   * with its time: whoever has something by that name has these bytes. {@link checkRepeated} says whether they are those that were published.
   * @throws TreeIncomplete where one is gone, or has another size
   */
  async repeat(tree: string, entries: readonly MetadataEntry[]): Promise<void> {
    const missing = entries.filter(({ path: file }) => !this.has(file))
    // Copies first: an addressed name of a file that has others here is a name of its copy.
    const copied = missing.filter(({ role }) => role !== 'addressed')
    const addressed = missing.filter(({ role }) => role === 'addressed')
    for (const entry of [...copied, ...addressed]) await this.#repeat(path.join(tree, entry.path), entry)
  }

  async #repeat(source: string, { path: target, role, size, digest }: MetadataEntry): Promise<void> {
    const found = await orNull(fs.stat(source, { bigint: true }))
    if (digest === null || found === null || found.size !== BigInt(size))
      throw new TreeIncomplete(`a file of an earlier tree is gone or has another size: ${source}`)
    const { ino, nlink } = found
    this.take(target, digest)
    await this.#explained(target, async () => {
      const copied = this.#copies.get(ino)
      if (copied !== undefined && this.#digests.get(copied) === digest) return this.#alias(target, copied)
      await this.makeFolderOf(target)
      this.#unread.push({ path: target, size, digest })
      if (role === 'addressed') return linkOrCopy(source, this.absolute(target))
      if (nlink > 1) this.#copies.set(ino, target)
      await fs.copyFile(
        source,
        this.absolute(target),
        fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE,
      )
      await fs.chmod(this.absolute(target), fileMode)
      await this.#stamp(target)
    })
    this.#enter(target, role, { size, digest })
  }

  async write(
    target: RelativePath | ((written: Measured) => RelativePath),
    content: ByteSource | Uint8Array | string,
    role: PublishedRole,
    algorithms?: readonly ChecksumAlgorithm[],
  ): Promise<WrittenFile> {
    const temporary = this.#temporaryPath()
    try {
      const { measured, digest } = await this.#explained(temporary, () =>
        this.#writeTo(temporary, content, algorithms),
      )
      const file = parseRelativePath(typeof target === 'function' ? target(measured) : target)
      if (this.take(file, digest)) {
        await this.#explained(file, async () => {
          await this.makeFolderOf(file)
          await fs.rename(temporary, this.absolute(file))
        })
        this.#enter(file, role, { size: measured.size, digest })
      }
      return { path: file, ...measured }
    } finally {
      await fs.rm(temporary, { force: true })
    }
  }

  async makeFolderOf(file: RelativePath): Promise<void> {
    const folder = path.dirname(this.absolute(file))
    if (this.#folders.has(folder)) return
    await makeFolders(folder)
    for (let each = folder; each.length >= this.folder.length; each = path.dirname(each))
      this.#folders.add(each)
  }

  /** Every metadata file and every folder made for it: what has to be durable. */
  *paths(): Generator<string> {
    for (const file of this.entries.keys()) yield this.absolute(file)
    yield* this.#folders
  }

  /** @throws Error where a file is not what was written: a bug, or a disk that lies */
  async check(): Promise<void> {
    for (const { path: file, size } of this.entries.values()) {
      const found = await orNull(fs.stat(this.absolute(file)))
      if (found?.size !== size) throw new Error(`self-check: ${file} has ${found?.size} bytes, not ${size}`)
    }
  }

  /** Reads what was repeated. @throws TreeIncomplete where it has other bytes than it was published with */
  async checkRepeated(): Promise<void> {
    for (const { path: file, size, digest } of this.#unread)
      if ((await digestOfFile(this.absolute(file), size)) !== digest)
        throw new TreeIncomplete(`a file of an earlier tree is damaged: ${file}`)
  }

  async #alias(target: RelativePath, of: RelativePath): Promise<void> {
    await this.makeFolderOf(target)
    if (this.#hasHardLinks) return linkOrCopy(this.absolute(of), this.absolute(target))
    await fs.copyFile(this.absolute(of), this.absolute(target), fs.constants.COPYFILE_EXCL)
    await this.#stamp(target)
  }

  #enter(file: RelativePath, role: PublishedRole, { size, digest }: BlobRef): void {
    this.entries.set(file, { path: file, role, size, digest, supersededAt: null })
  }

  #temporaryPath(): string {
    this.#temporaryFiles += 1
    return path.join(this.#incoming, String(this.#temporaryFiles))
  }

  async #stamp(file: RelativePath): Promise<void> {
    await fs.utimes(this.absolute(file), this.#publishedAt, this.#publishedAt)
  }

  async #writeTo(
    file: string,
    content: ByteSource | Uint8Array | string,
    algorithms: readonly ChecksumAlgorithm[] | undefined,
  ): Promise<MeasuredFile> {
    if (typeof content === 'string') return this.#writeWhole(file, Buffer.from(content), algorithms)
    if (content instanceof Uint8Array) return this.#writeWhole(file, content, algorithms)
    const measured = new MeasuredBytes(algorithms)
    const handle = await fs.open(file, 'wx', fileMode)
    try {
      await writeChunks(handle, measured.pass(content))
      await handle.chmod(fileMode)
      await handle.utimes(this.#publishedAt, this.#publishedAt)
    } finally {
      await handle.close()
    }
    return measured.finish()
  }

  // Synchronous: a PyPI index is tens of thousands of small files, and promises cost five times as much.
  #writeWhole(
    file: string,
    bytes: Uint8Array,
    algorithms: readonly ChecksumAlgorithm[] | undefined,
  ): MeasuredFile {
    const descriptor = openSync(file, 'wx', fileMode)
    try {
      for (let offset = 0; offset < bytes.byteLength; ) offset += writeSync(descriptor, bytes, offset)
      fchmodSync(descriptor, fileMode)
      futimesSync(descriptor, this.#publishedAt, this.#publishedAt)
    } finally {
      closeSync(descriptor)
    }
    return measureWhole(bytes, algorithms)
  }

  async #explained<T>(file: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isInTheWay(error)) {
        throw pathTaken(file, true, error)
      }
      throw nameMissing(explainDiskError(error, this.folder), file)
    }
  }
}

const gatheredBytes = 512 * 1024

/** Gathers small chunks, so that a document which comes in thousands of them is written in some dozens of steps. */
async function writeChunks(handle: fs.FileHandle, chunks: ByteSource): Promise<void> {
  const gathered = Buffer.allocUnsafeSlow(gatheredBytes)
  let size = 0
  const flush = async () => {
    if (size > 0) await handle.writeFile(gathered.subarray(0, size))
    size = 0
  }
  for await (const chunk of chunks) {
    if (size + chunk.byteLength > gatheredBytes) await flush()
    if (chunk.byteLength > gatheredBytes) await handle.writeFile(chunk)
    else {
      gathered.set(chunk, size)
      size += chunk.byteLength
    }
  }
  await flush()
}
