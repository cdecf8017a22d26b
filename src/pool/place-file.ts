import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { PlacementMethod } from './pool.ts'
import { explainDiskError } from './system-errors.ts'

/**
 * Gives a file another name: by a hard link, else by sharing its bytes, else by copying them.
 * @param target a path that does not exist, in a folder that does
 * @throws ChantalError `ALREADY_EXISTS`, `DISK_FULL`, `NOT_WRITABLE`; the system's `ENOENT` where the source or the folder is missing
 */
export async function placeFile(source: string, target: string): Promise<PlacementMethod> {
  try {
    await fs.link(source, target)
    return 'hardlink'
  } catch (error) {
    if (hasSystemCode(error, 'EEXIST')) throw alreadyPlaced(target, error)
    // EXDEV: other device. EMLINK: ext4 stops at 65 000 links. EPERM: no hard links here, or not ours to link.
    if (!hasSystemCode(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP')) throw explainDiskError(error, target)
  }
  return copyTo(source, target)
}

/**
 * A reflink shares the bytes without sharing the inode; where the file system has none, a copy. Built beside and renamed, so that
 * a crash leaves no half file under the name.
 */
async function copyTo(source: string, target: string): Promise<PlacementMethod> {
  const temporary = path.join(path.dirname(target), `.${randomUUID()}.tmp`)
  try {
    const method = await copyCheaply(source, temporary)
    await fs.chmod(temporary, 0o444)
    await nameIt(temporary, target)
    return method
  } catch (error) {
    throw hasSystemCode(error, 'EEXIST') ? alreadyPlaced(target, error) : explainDiskError(error, target)
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

async function nameIt(temporary: string, target: string): Promise<void> {
  try {
    await fs.link(temporary, target)
  } catch (error) {
    // A file system without hard links: the caller's lease keeps others from the name.
    if (!hasSystemCode(error, 'EPERM', 'ENOTSUP', 'EMLINK')) throw error
    if (await exists(target)) throw alreadyPlaced(target, error)
    await fs.rename(temporary, target)
  }
}

async function copyCheaply(source: string, target: string): Promise<PlacementMethod> {
  try {
    await fs.copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
    return 'reflink'
  } catch (error) {
    if (!hasSystemCode(error, 'EXDEV', 'ENOTSUP', 'EINVAL', 'ENOSYS', 'ENOTTY')) throw error
  }
  await fs.rm(target, { force: true })
  await fs.copyFile(source, target, constants.COPYFILE_EXCL)
  return 'copy'
}

async function exists(file: string): Promise<boolean> {
  try {
    await fs.lstat(file)
    return true
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT')) return false
    throw error
  }
}

function alreadyPlaced(target: string, cause: unknown): ChantalError {
  return new ChantalError('ALREADY_EXISTS', `already published: ${target}`, {
    cause,
    details: { path: target },
  })
}
