import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { BlobRef } from '../core/bytes.ts'
import { hasSystemCode, isChantalError } from '../core/errors.ts'
import type { Pool } from '../pool/pool.ts'
import { replaceByBlob } from './copy-blob.ts'
import { sizeOf } from './damaged-files.ts'
import { makeFolders, orNull } from './folders.ts'

/** A package as it stands in a published tree, and the bytes that should be there. */
export interface PublishedPackage {
  readonly blob: BlobRef
  /** An absolute path. */
  readonly file: string
  /** A free name on its file system. */
  readonly temporary: string
}

/** A package that lies in a generation's own folder. */
export function packageIn(folder: string, blob: BlobRef & { readonly path: string }): PublishedPackage {
  return { blob, file: path.join(folder, blob.path), temporary: `${folder}.link` }
}

/** Whether it is there with its size; with `deep`, with its bytes. What shares the pool's file has those that the pool has, and is not read. */
export async function isSound(pool: Pool, { blob, file, temporary }: PublishedPackage, deep: boolean) {
  if (sizeOf(file) !== blob.size) return false
  if (!deep) return true
  return (await isOfPool(pool, { blob, file, temporary })) || hasDigest(file, blob)
}

/** Puts the pool's bytes where a package is not sound. @returns whether the pool has them, and nothing else is in the way */
export async function restore(pool: Pool, published: PublishedPackage): Promise<boolean> {
  try {
    await replace(pool, published)
    return true
  } catch (error) {
    if (isChantalError(error, 'BLOB_MISSING', 'BLOB_CORRUPT') || isInTheWay(error)) return false
    throw error
  }
}

/** Puts the pool's bytes where a package stands or should. @throws as `replaceByBlob` and `makeFolders`; {@link isInTheWay} tells where something else is */
export async function replace(pool: Pool, { blob, file, temporary }: PublishedPackage): Promise<void> {
  await makeFolders(path.dirname(file))
  await replaceByBlob(pool, blob, file, temporary)
}

/** Whether a file could not be put in its place because a folder stands there, or a file where its folder should be. */
export function isInTheWay(error: unknown): boolean {
  // Whoever makes folders says it in words, with the system's error as its cause.
  const told = isChantalError(error, 'NOT_WRITABLE') ? error.cause : error
  return hasSystemCode(told, 'EISDIR', 'ENOTDIR', 'EEXIST')
}

/** Whether both names are of one file. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([fs.lstat(one), fs.lstat(other)])
  return a.ino === b.ino && a.dev === b.dev
}

export async function hasDigest(file: string, { digest, size }: BlobRef): Promise<boolean> {
  const found = await fs.lstat(file)
  if (!found.isFile() || found.size !== size) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex') === digest
}

/** A link of its own tells: the pool says of no blob which file it is. */
async function isOfPool(pool: Pool, { blob, file, temporary }: PublishedPackage): Promise<boolean> {
  if (((await orNull(fs.lstat(file)))?.nlink ?? 0) < 2) return false
  await fs.rm(temporary, { force: true })
  try {
    return (await pool.place(blob.digest, temporary)) === 'hardlink' && (await isSameFile(temporary, file))
  } catch (error) {
    if (isChantalError(error, 'BLOB_MISSING')) return false
    throw error
  } finally {
    await fs.rm(temporary, { force: true })
  }
}
