import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { ByteSource } from '../core/bytes.ts'
import type { ChecksumAlgorithm } from '../core/digest.ts'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import { joinRelativePath, type RelativePath } from '../core/path.ts'
import type { PublishedRole, WrittenFile } from '../core/publication.ts'
import { flushFileSystem } from '../pool/flush.ts'
import type { Pool } from '../pool/pool.ts'
import { explainDiskError } from '../pool/system-errors.ts'
import { folderMode, makeFolders, namesIn, orNull } from './folders.ts'
import type { Measured } from './measured-bytes.ts'
import type { Generation, GenerationName, PublicationStage } from './publications.ts'
import { generationName } from './publish-time.ts'
import { StagedTree } from './staged-tree.ts'

/**
 * A tree of plain files, built beside `target` and renamed to it. Where `target` is an empty mount point, which cannot be
 * renamed over, it is built inside and its top is moved up.
 * @throws ChantalError `ALREADY_EXISTS`, `NOT_WRITABLE`, `DISK_FULL`
 */
export async function openExport(options: {
  readonly target: string
  readonly pool: Pool
  readonly publishedAt: Date
}): Promise<PublicationStage> {
  const { pool, publishedAt } = options
  const target = path.resolve(options.target)
  try {
    await refuseOccupied(target)
    await makeFolders(path.dirname(target))
    const isMounted = await isMountPoint(target)
    const build = path.join(
      isMounted ? target : path.dirname(target),
      `.${path.basename(target)}.${randomUUID()}`,
    )
    await makeFolders(path.join(build, 'tree'))
    await makeFolders(path.join(build, 'incoming'))
    return new ExportStage({ target, build, isMounted, pool, publishedAt })
  } catch (error) {
    throw explainDiskError(error, target)
  }
}

interface ExportOptions {
  readonly target: string
  readonly build: string
  readonly isMounted: boolean
  readonly pool: Pool
  readonly publishedAt: Date
}

class ExportStage implements PublicationStage {
  readonly name: GenerationName
  readonly publishedAt: Date
  /** None: everything is a copy. */
  readonly packageLinks = 0
  readonly #options: ExportOptions
  readonly #tree: StagedTree
  readonly #moved: string[] = []
  #isDone = false

  constructor(options: ExportOptions) {
    const { build, pool, publishedAt } = options
    this.name = generationName(publishedAt, 1)
    this.publishedAt = publishedAt
    this.#options = options
    this.#tree = new StagedTree({
      folder: path.join(build, 'tree'),
      incoming: path.join(build, 'incoming'),
      pool,
      publishedAt,
      hasHardLinks: false,
    })
  }

  /** Nothing follows an export. */
  note(): void {}

  async place(file: StoredFile, _repository: RepositoryId, folder: RelativePath | '' = ''): Promise<void> {
    await this.#tree.copy({ ...file, path: joinRelativePath(folder, file.path) }, 'plain')
  }

  /** Every file is a copy of its own. */
  async takePackages(): Promise<boolean> {
    return false
  }

  async copy(file: StoredFile, role: PublishedRole): Promise<void> {
    await this.#tree.copy(file, role)
  }

  async write(
    target: RelativePath | ((written: Measured) => RelativePath),
    content: ByteSource | Uint8Array | string,
    role: PublishedRole,
    algorithms?: readonly ChecksumAlgorithm[],
  ): Promise<WrittenFile> {
    return this.#tree.write(target, content, role, algorithms)
  }

  async alias(target: RelativePath, of: RelativePath, role: PublishedRole): Promise<void> {
    await this.#tree.alias(target, of, role)
  }

  async commit(): Promise<Generation> {
    if (this.#isDone) throw new Error('the stage is spent')
    const { build, target, isMounted } = this.#options
    try {
      await this.#tree.check()
      await flushFileSystem(build, this.#tree.paths())
      if (isMounted) await this.#moveUp()
      else await fs.rename(this.#tree.folder, target)
      this.#isDone = true
      await fs.rm(build, { recursive: true, force: true })
      await flushFileSystem(path.dirname(target), [target, path.dirname(target)])
    } catch (error) {
      if (hasSystemCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw occupied(target, error)
      throw explainDiskError(error, target)
    }
    return { name: this.name, files: this.#tree.entries.size, publishedAt: this.publishedAt }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) return
    this.#isDone = true
    for (const file of this.#moved) await fs.rm(file, { recursive: true, force: true })
    await fs.rm(this.#options.build, { recursive: true, force: true })
  }

  async #moveUp(): Promise<void> {
    const { target } = this.#options
    await fs.chmod(target, folderMode)
    for (const name of await namesIn(this.#tree.folder)) {
      const file = path.join(target, name)
      if (await orNull(fs.lstat(file))) throw occupied(target)
      this.#moved.push(file)
      await fs.rename(path.join(this.#tree.folder, name), file)
    }
  }
}

async function refuseOccupied(target: string): Promise<void> {
  const found = await orNull(fs.lstat(target))
  if (found === null) return
  if (!found.isDirectory() || (await namesIn(target)).length > 0) throw occupied(target)
}

async function isMountPoint(target: string): Promise<boolean> {
  const found = await orNull(fs.stat(target))
  return found !== null && found.dev !== (await fs.stat(path.dirname(target))).dev
}

function occupied(target: string, cause?: unknown): ChantalError {
  return new ChantalError('ALREADY_EXISTS', `not an empty folder: ${target}`, {
    cause,
    hint: 'Export to a folder that does not exist, or an empty one.',
    details: { path: target },
  })
}
