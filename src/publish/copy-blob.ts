import * as fs from 'node:fs/promises'
import { damagedBlob } from '../core/blob-errors.ts'
import type { BlobRef } from '../core/bytes.ts'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { StoredFile } from '../core/model.ts'
import type { Pool } from '../pool/pool.ts'
import { digestOfFile } from './damaged-files.ts'
import { fileMode } from './folders.ts'

/**
 * Copies a blob to a file of its own: a reflink where the file system has them. Goes by way of a placed file, because the
 * kernel copies between names faster than bytes pass through here. The copy is read once: what is to leave the pool as a whole is to be
 * what the pool says that it is.
 * @param target absolute
 * @param temporary a free name on the target's file system
 * @throws ChantalError `BLOB_MISSING`; `BLOB_CORRUPT` where the pool's bytes are others
 */
export async function copyBlob(
  pool: Pool,
  file: StoredFile,
  target: string,
  temporary: string,
): Promise<void> {
  const { digest, size } = file
  const method = await pool.place(digest, temporary)
  try {
    if (method === 'hardlink') {
      await fs.copyFile(temporary, target, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE)
    } else {
      await fs.rename(temporary, target)
    }
  } finally {
    await fs.rm(temporary, { force: true })
  }
  await fs.chmod(target, fileMode)
  await checkSize(file, target)
  const actual = await digestOfFile(target, size)
  if (actual !== digest) throw damagedBlob(file, actual)
}

/** Puts a blob where a file is already, at once for whoever reads it. @param temporary as for {@link copyBlob} */
export async function replaceByBlob(
  pool: Pool,
  blob: BlobRef,
  target: string,
  temporary: string,
): Promise<void> {
  await fs.rm(temporary, { force: true })
  await pool.place(blob.digest, temporary)
  try {
    await checkSize(blob, temporary)
    await fs.rename(temporary, target)
  } finally {
    // Renaming one link of a file over another of the same file leaves both.
    await fs.rm(temporary, { force: true })
  }
}

/** Another name for a file; where it cannot have one, a copy with its time. */
export async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await fs.link(source, target)
  } catch (error) {
    if (!hasSystemCode(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP')) throw error
    await fs.copyFile(source, target, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE)
    const { atime, mtime } = await fs.stat(source)
    await fs.utimes(target, atime, mtime)
  }
}

/** @throws ChantalError `BLOB_CORRUPT` */
export async function checkSize(blob: BlobRef, file: string): Promise<void> {
  const { size } = await fs.stat(file)
  if (size === blob.size) return
  throw new ChantalError('BLOB_CORRUPT', `expected ${blob.size} bytes, got ${size}: ${file}`, {
    hint: 'Run `chantal pool verify --repair` to get it back, then publish.',
    details: { digest: blob.digest, expected_bytes: blob.size, actual_bytes: size },
  })
}
