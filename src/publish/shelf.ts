import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { BlobRef } from '../core/bytes.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import type { Pool } from '../pool/pool.ts'
import { sizeOf } from './damaged-files.ts'
import { orNull, readOrNull, removeEmptyFolders, replaceFile } from './folders.ts'
import { unlessDamaged } from './manifest-text.ts'
import { isSound, type PublishedPackage } from './published-package.ts'
import type { ShelfLock } from './shelf-lock.ts'
import { formatShelf, parseShelf, type ShelfEntries, type ShelfEntry } from './shelf-manifest.ts'
import { foldersAbove } from './tree-layout.ts'

/**
 * One numbered folder of package files under their published paths, and its manifest. The caller holds the repository's
 * shelf lock. The manifest is written after the files are durable and before any is removed: what it lists is there.
 */
export class Shelf {
  readonly number: number
  readonly folder: string
  readonly entries: ShelfEntries
  readonly #manifest: string
  readonly #lock: ShelfLock
  #folders: Set<string> | null = null

  /** The manifest is, and {@link entries} say what was found in its place. */
  isDamaged: boolean

  private constructor(
    number: number,
    folder: string,
    lock: ShelfLock,
    entries: ShelfEntries,
    isDamaged = false,
  ) {
    this.isDamaged = isDamaged
    this.#lock = lock
    this.number = number
    this.folder = folder
    this.entries = entries
    this.#manifest = `${folder}.manifest`
  }

  /**
   * An absent shelf is an empty one. A manifest whose folder is gone lists nothing. Of one that is damaged the folder tells what generations
   * may be showing, and not with which bytes.
   */
  static async open(repositoryFolder: string, number: number, lock: ShelfLock): Promise<Shelf> {
    const folder = path.join(repositoryFolder, String(number))
    const manifest = `${folder}.manifest`
    const bytes = (await orNull(fs.stat(folder))) && (await readOrNull(manifest))
    if (!bytes) return new Shelf(number, folder, lock, new Map())
    const entries = await unlessDamaged(() => parseShelf(bytes, manifest), null)
    return entries === null
      ? new Shelf(number, folder, lock, await entriesIn(folder), true)
      : new Shelf(number, folder, lock, entries)
  }

  /** Lists again what stands here, where the list was damaged. */
  async mend(): Promise<void> {
    if (!this.isDamaged) return
    await this.save()
    this.isDamaged = false
  }

  /** Finds out of `files` which stand here with unknown bytes. Those that have others stay as they are: somebody may show them. */
  async identify(pool: Pool, files: ReadonlyMap<RelativePath, BlobRef>): Promise<void> {
    let isChanged = false
    for (const [file, entry] of this.entries) {
      const blob = entry.digest === null ? files.get(file) : undefined
      if (!blob || !(await isSound(pool, this.packageAt(file, blob), true))) continue
      this.entries.set(file, { ...blob, wanted: entry.wanted })
      isChanged = true
    }
    if (isChanged) await this.save()
  }

  packageAt(file: RelativePath, { digest, size }: BlobRef): PublishedPackage {
    const temporary = `${this.folder}.incoming-${digest}`
    return { blob: { digest, size }, file: this.absolute(file), temporary }
  }

  async save(): Promise<void> {
    await this.#lock.assertHeld()
    if (this.entries.size > 0) return replaceFile(this.#manifest, formatShelf(this.entries))
    await fs.rm(this.#manifest, { force: true })
    await removeEmptyFolders(this.folder, path.dirname(this.folder))
  }

  absolute(file: RelativePath): string {
    return path.join(this.folder, file)
  }

  /** The entry that stands there for sure. */
  entryAt(file: RelativePath): ShelfEntry | null {
    const entry = this.entries.get(file)
    return entry && entry.wanted.state !== 'removing' ? entry : null
  }

  /**
   * What it takes for all of `files` to stand here; `null` where they cannot, because a path has other bytes that
   * somebody wants, or is a folder here.
   * @param expiredBefore what has been unwanted since then or longer may go
   */
  plan(files: ReadonlyMap<RelativePath, BlobRef>, expiredBefore: number): ShelfPlan | null {
    const missing: RelativePath[] = []
    const expired: RelativePath[] = []
    for (const [file, { digest }] of files) {
      const entry = this.entryAt(file)
      if (entry?.digest === digest) continue
      missing.push(file)
      if (entry === null) continue
      if (!isExpired(entry, expiredBefore)) return null
      expired.push(file)
    }
    return missing.some((file) => this.#isFileAndFolder(file)) ? null : { missing, expired }
  }

  /** What of `files` is listed with these bytes, and is not there or has another size. */
  lost(files: ReadonlyMap<RelativePath, BlobRef>): readonly RelativePath[] {
    return [...files].flatMap(([file, { digest, size }]) =>
      this.entryAt(file)?.digest === digest && sizeOf(this.absolute(file)) !== size ? [file] : [],
    )
  }

  /** Those of `others` that may stand here beside `files`: no path changes its bytes, and none is a file and a folder. */
  besides(files: ReadonlyMap<RelativePath, BlobRef>, others: ReadonlyMap<RelativePath, BlobRef>) {
    const fitting = new Map<RelativePath, BlobRef>()
    if (others.size === 0) return fitting
    const folders = foldersOf(files.keys())
    for (const [file, blob] of others) {
      const entry = this.entries.get(file)
      const isTaken =
        entry !== undefined && (entry.wanted.state !== 'unwanted' || entry.digest !== blob.digest)
      if (files.has(file) || isTaken || folders.has(file) || this.#isFileAndFolder(file)) continue
      if ([...foldersAbove(file)].some((folder) => files.has(folder as RelativePath))) continue
      fitting.set(file, blob)
    }
    return fitting
  }

  /** Removes files in an order that a crash may interrupt: marked, gone, forgotten. */
  async remove(files: readonly RelativePath[]): Promise<void> {
    if (files.length === 0) return
    for (const file of files) {
      const entry = this.entries.get(file)
      if (entry) this.entries.set(file, { ...entry, wanted: { state: 'removing' } })
    }
    await this.#lock.assertHeld()
    await replaceFile(this.#manifest, formatShelf(this.entries))
    await this.unlink(files)
    for (const file of files) this.entries.delete(file)
    await this.save()
  }

  /** Removes files that the manifest does not list, and the folders that they leave empty. */
  async unlink(files: Iterable<RelativePath>): Promise<void> {
    const folders = new Set<string>()
    for (const file of files) {
      // EISDIR: another stage had a folder listed there since.
      await orNull(fs.unlink(this.absolute(file)), 'EISDIR')
      folders.add(path.dirname(this.absolute(file)))
    }
    for (const folder of folders) await removeEmptyFolders(folder, this.folder)
    this.#folders = null
  }

  #isFileAndFolder(file: RelativePath): boolean {
    this.#folders ??= foldersOf(this.entries.keys())
    if (this.#folders.has(file)) return true
    for (const folder of foldersAbove(file)) {
      if (this.#folders.has(folder)) return false
      if (folder !== '' && this.entries.has(folder as RelativePath)) return true
    }
    return false
  }
}

async function entriesIn(folder: string): Promise<ShelfEntries> {
  const entries: ShelfEntries = new Map()
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    const absolute = path.join(entry.parentPath, entry.name)
    const size = entry.isFile() ? sizeOf(absolute) : null
    if (size === null) continue
    const file = parseRelativePath(path.relative(folder, absolute))
    entries.set(file, { digest: null, size, wanted: { state: 'wanted' } })
  }
  return entries
}

interface ShelfPlan {
  /** To be linked. */
  readonly missing: readonly RelativePath[]
  /** Of these, what has to be removed first. */
  readonly expired: readonly RelativePath[]
}

export function isExpired({ wanted }: ShelfEntry, expiredBefore: number): boolean {
  return wanted.state === 'removing' || (wanted.state === 'unwanted' && wanted.since <= expiredBefore)
}

function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set<string>()
  for (const file of files) {
    for (const folder of foldersAbove(file)) {
      if (folders.has(folder)) break
      folders.add(folder)
    }
  }
  return folders
}
