import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { nameMissing } from '../core/blob-errors.ts'
import type { BlobRef } from '../core/bytes.ts'
import { isChantalError } from '../core/errors.ts'
import type { RepositoryId } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { Pool } from '../pool/pool.ts'
import { checkSize } from './copy-blob.ts'
import { forEachConcurrently, makeFolders } from './folders.ts'
import { hasDigest, isSameFile } from './published-package.ts'
import type { Shelf } from './shelf.ts'

/** One generation's packages on one shelf: claimed, then linked, then listed. The caller holds the shelf's lock until {@link save}. */
export class ShelfStand {
  readonly repository: RepositoryId
  readonly claim: string
  /** What this generation adds to the shelf. */
  readonly added: readonly RelativePath[]
  readonly #shelf: Shelf
  readonly #files: ReadonlyMap<RelativePath, BlobRef>
  readonly #carried: ReadonlyMap<RelativePath, BlobRef>
  readonly #publishedAt: Date
  readonly #pool: Pool
  readonly #folders = new Set<string>()

  constructor(options: {
    readonly shelf: Shelf
    /** What the generation shows. */
    readonly files: ReadonlyMap<RelativePath, BlobRef>
    /** Those of `files` that the shelf lacks. */
    readonly missing: readonly RelativePath[]
    /** What stands there besides for the grace period, from `publishedAt` on. */
    readonly carried: ReadonlyMap<RelativePath, BlobRef>
    readonly publishedAt: Date
    readonly repository: RepositoryId
    readonly claim: string
    readonly pool: Pool
  }) {
    this.repository = options.repository
    this.claim = options.claim
    this.#shelf = options.shelf
    this.#files = options.files
    this.#carried = options.carried
    this.#publishedAt = options.publishedAt
    const newlyCarried = [...options.carried.keys()].filter((file) => options.shelf.entryAt(file) === null)
    this.added = [...options.missing, ...newlyCarried]
    this.#pool = options.pool
  }

  /** The shelf's folder. */
  get folder(): string {
    return this.#shelf.folder
  }

  /** What has to be durable before {@link save}. */
  *paths(): Generator<string> {
    for (const file of this.added) yield this.#shelf.absolute(file)
    yield* this.#folders
  }

  /**
   * Links what the shelf lacks, and checks that it has the right size.
   * @throws ChantalError `BLOB_MISSING`, `BLOB_CORRUPT`, `DISK_FULL`, `NOT_WRITABLE`
   */
  async link(onLink: () => void): Promise<void> {
    await makeFolders(this.#shelf.folder)
    for (const file of this.added) {
      const folder = path.dirname(this.#shelf.absolute(file))
      if (this.#folders.has(folder)) continue
      await makeFolders(folder)
      this.#folders.add(folder)
    }
    await forEachConcurrently(this.added, async (file) => {
      const blob = this.#files.get(file) ?? this.#carried.get(file)
      if (blob === undefined) return
      const target = this.#shelf.absolute(file)
      try {
        await this.#pool.place(blob.digest, target)
      } catch (error) {
        if (!isChantalError(error, 'ALREADY_EXISTS')) throw nameMissing(error, file)
        await this.#takeOver(blob, target)
      }
      await checkSize(blob, target)
      onLink()
    })
  }

  /** Lists what stands here now. Only after the files are durable. */
  async save(): Promise<void> {
    let isChanged = false
    for (const [file, { digest, size }] of this.#files) {
      const entry = this.#shelf.entryAt(file)
      if (entry?.digest === digest && entry.wanted.state === 'wanted') continue
      this.#shelf.entries.set(file, { digest, size, wanted: { state: 'wanted' } })
      isChanged = true
    }
    for (const [file, { digest, size }] of this.#carried) {
      const wanted = { state: 'unwanted' as const, since: this.#publishedAt.getTime() }
      this.#shelf.entries.set(file, { digest, size, wanted })
      isChanged = true
    }
    if (isChanged) await this.#shelf.save()
  }

  /** A file that no manifest lists is left from a process that died. It is kept where it is the right one. */
  async #takeOver(blob: BlobRef, target: string): Promise<void> {
    const temporary = `${this.#shelf.folder}.incoming-${randomUUID()}`
    await this.#pool.place(blob.digest, temporary)
    try {
      if (!(await isSameFile(temporary, target)) && !(await hasDigest(target, blob))) {
        await fs.rm(target, { force: true, recursive: true })
        await fs.rename(temporary, target)
      }
    } finally {
      await fs.rm(temporary, { force: true })
    }
  }
}
