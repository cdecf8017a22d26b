import * as fs from 'node:fs/promises'
import path from 'node:path'
import { hasSystemCode } from '../core/errors.ts'
import { flushOne } from '../pool/flush.ts'
import { makeMissingFolders } from '../pool/missing-folders.ts'

/** What a web server under another user needs, whatever our umask. */
export const folderMode = 0o755
export const fileMode = 0o644

/**
 * Makes `folder` and what is missing above it, each readable by everybody. Existing folders above stay as they are.
 * @throws ChantalError `NOT_WRITABLE` where something on the way is no folder
 */
export async function makeFolders(folder: string): Promise<void> {
  for (const made of await makeMissingFolders(folder, folderMode)) await fs.chmod(made, folderMode)
}

/** Lets everybody read and enter a folder that may be older than this program. */
export async function openToReaders(folder: string): Promise<void> {
  const { mode } = await fs.stat(folder)
  if ((mode & folderMode) !== folderMode) await fs.chmod(folder, (mode & 0o7777) | folderMode)
}

/** Replaces a small file at once and durably: readers and crashes meet the old text or the new one. */
export async function replaceFile(target: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${target}.new`
  const handle = await fs.open(temporary, 'w', fileMode)
  try {
    await handle.writeFile(bytes)
    await handle.chmod(fileMode)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await fs.rename(temporary, target)
  await flushOne(path.dirname(target))
}

/** Removes folders that hold nothing, from `folder` up to, not including, `top`. */
export async function removeEmptyFolders(folder: string, top: string): Promise<void> {
  for (let each = folder; each.startsWith(`${top}/`); each = path.dirname(each)) {
    try {
      await fs.rmdir(each)
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) continue
      if (hasSystemCode(error, 'ENOTEMPTY', 'EEXIST')) return
      throw error
    }
  }
}

/** The names in a folder; none where it does not exist. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return (await orNull(fs.readdir(folder))) ?? []
}

export async function readOrNull(file: string): Promise<Uint8Array | null> {
  return orNull(fs.readFile(file))
}

/** The first bytes of a file, all of a smaller one; `null` where it does not exist. */
export async function readStartOrNull(file: string, maxBytes: number): Promise<Uint8Array | null> {
  const handle = await orNull(fs.open(file))
  if (!handle) return null
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes), 0, maxBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** `null` for what does not exist, and for the other errors named. */
export async function orNull<T>(work: Promise<T>, ...codes: readonly string[]): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', ...codes)) return null
    throw error
  }
}

/** Eight at a time: the file system's threads stay busy, and memory does not grow with the list. */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const pending = items[Symbol.iterator]()
  let failed = false
  const worker = async () => {
    for (let next = pending.next(); !next.done && !failed; next = pending.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: 8 }, worker))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
