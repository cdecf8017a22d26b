import * as fs from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * Makes everything written so far below `folder` durable: `syncfs(2)` through coreutils, one call for thousands of files,
 * where an fsync each would cost minutes.
 * @param paths files and folders that matter, for where there is no `sync -f`: they are flushed one by one, and nobody asks for them elsewhere
 */
export async function flushFileSystem(folder: string, paths: Iterable<string>): Promise<void> {
  try {
    // Loaded here, since most commands flush nothing.
    const { execFile } = await import('node:child_process')
    await promisify(execFile)('sync', ['-f', folder])
  } catch {
    await flushEach(paths)
  }
}

/** fsync of each path, eight at a time. */
async function flushEach(paths: Iterable<string>): Promise<void> {
  const pending = Iterator.from(paths)
  const worker = async () => {
    for (const path of pending) await flushOne(path)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

/** A file's bytes, or a folder's names, are durable once this resolves. */
export async function flushOne(path: string): Promise<void> {
  const handle = await fs.open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
