import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { ChantalError, hasSystemCode } from '../core/errors.ts'

/**
 * A file that is complete or not there: it is made under another name beside `target`, readable by its owner alone, and gets its name once it
 * is durable.
 * @param make writes the file at the path given, which is empty, and makes it durable
 * @returns its size in bytes
 * @throws ChantalError `ALREADY_EXISTS` unless it may be replaced, `NOT_WRITABLE`, `DISK_FULL`
 */
export async function writeWhole(
  target: string,
  isReplaced: boolean,
  make: (file: string) => Promise<void>,
): Promise<number> {
  const folder = path.dirname(target)
  const temporary = path.join(folder, `.${path.basename(target)}.${randomUUID()}`)
  try {
    if (!isReplaced && (await exists(target))) throw alreadyThere(target)
    // Nobody else reads along while it is written.
    await (await fs.open(temporary, 'wx', 0o600)).close()
    await make(temporary)
    const { size } = await fs.stat(temporary)
    if (isReplaced) await fs.rename(temporary, target)
    else await giveName(temporary, target)
    await using handle = await fs.open(folder)
    await handle.sync()
    return size
  } catch (error) {
    throw explain(error, target)
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/** A link fails where the name is taken by now; a file system without links gets a rename. */
async function giveName(temporary: string, target: string): Promise<void> {
  try {
    await fs.link(temporary, target)
  } catch (error) {
    if (hasSystemCode(error, 'EEXIST')) throw alreadyThere(target)
    if (!hasSystemCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    await fs.rename(temporary, target)
  }
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

function alreadyThere(target: string): ChantalError {
  return new ChantalError('ALREADY_EXISTS', `${target} is there already`, {
    hint: 'Choose another name, or give --force to replace it.',
    details: { path: target },
  })
}

function explain(error: unknown, target: string): unknown {
  const details = { path: target }
  if (hasSystemCode(error, 'ENOSPC', 'EDQUOT')) {
    return new ChantalError('DISK_FULL', `no space left on the disk of ${target}`, {
      cause: error,
      hint: 'Free space there, or write to another disk.',
      details,
    })
  }
  if (hasSystemCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR')) {
    return new ChantalError('NOT_WRITABLE', `cannot write ${target}`, {
      cause: error,
      hint: 'Check that its folder exists and belongs to the user who runs this program.',
      details,
    })
  }
  return error
}
