import * as fs from 'node:fs/promises'
import path from 'node:path'
import { ChantalError, hasSystemCode } from '../core/errors.ts'

/**
 * Makes `folder` and what is missing above it.
 * @returns those that were made, the topmost first
 * @throws ChantalError `NOT_WRITABLE` where something on the way is no folder, or lets none be made in it; else what the system says
 */
export async function makeMissingFolders(folder: string, mode?: number): Promise<readonly string[]> {
  try {
    return await makeUpwards(folder, mode).catch((error: unknown) => {
      if (!hasSystemCode(error, 'ENOENT')) throw error
      // Another process may have taken an empty folder away in between.
      return makeUpwards(folder, mode)
    })
  } catch (error) {
    // Only here does ENOENT mean that: elsewhere it is a file that is gone.
    if (!hasSystemCode(error, ...blocked)) throw error
    const reason = (await findObstacle(folder)) ?? 'none can be made there'
    throw new ChantalError('NOT_WRITABLE', `cannot make the folder ${folder}: ${reason}`, {
      cause: error,
      hint: 'Is the disk mounted? If it is, correct the path.',
      details: { path: folder },
    })
  }
}

/** What is no folder on the way to `folder`, or at its end, as a sentence; `null` where the way is free. */
async function findObstacle(folder: string): Promise<string | null> {
  for (let each = folder; ; each = path.dirname(each)) {
    try {
      await fs.lstat(each)
    } catch (error) {
      if (!hasSystemCode(error, ...blocked) || each === path.dirname(each)) throw error
      continue
    }
    try {
      return (await fs.stat(each)).isDirectory() ? null : `${each} is no folder`
    } catch (error) {
      if (!hasSystemCode(error, ...blocked)) throw error
      return `${each} is a link that leads nowhere`
    }
  }
}

const blocked = ['ENOENT', 'ENOTDIR', 'ELOOP']

/** One level at a time: Node's own `recursive` tries for ever in a folder that answers ENOENT, as /proc does. */
async function makeUpwards(folder: string, mode: number | undefined): Promise<readonly string[]> {
  try {
    return (await makeOne(folder, mode)) ? [folder] : []
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT') || folder === path.dirname(folder)) throw error
  }
  const above = await makeUpwards(path.dirname(folder), mode)
  return (await makeOne(folder, mode)) ? [...above, folder] : above
}

/** @returns whether it was not there */
async function makeOne(folder: string, mode: number | undefined): Promise<boolean> {
  try {
    await fs.mkdir(folder, { mode })
    return true
  } catch (error) {
    if (hasSystemCode(error, ...blocked)) throw error
    // Some systems say that they are read-only, or that it is not allowed, before they look whether it is there.
    if (await isFolder(folder)) return false
    if (!hasSystemCode(error, 'EEXIST')) throw error
    throw Object.assign(new Error(`not a folder: ${folder}`, { cause: error }), { code: 'ENOTDIR' })
  }
}

async function isFolder(path: string): Promise<boolean> {
  return fs.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
