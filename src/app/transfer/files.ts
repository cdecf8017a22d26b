import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { ByteSource } from '../../core/bytes.ts'
import { ChantalError, hasSystemCode } from '../../core/errors.ts'

/** @throws ChantalError `NOT_FOUND`, `NOT_WRITABLE` where it may not be read */
export async function* readFile(file: string): ByteSource {
  try {
    yield* createReadStream(file, { highWaterMark: 256 * 1024 })
  } catch (error) {
    throw explain(error, file, 'read')
  }
}

/**
 * Writes a file that is complete or not there, readable by its owner alone: an export tells of URLs inside. A pipe or a device is written to as it is.
 * @returns its size in bytes
 * @throws ChantalError `ALREADY_EXISTS` unless it may be replaced, `NOT_WRITABLE`, `DISK_FULL`; the source's own error unchanged
 */
export async function writeWhole(file: string, isReplaced: boolean, bytes: ByteSource): Promise<number> {
  const folder = path.dirname(file)
  const temporary = path.join(folder, `.${path.basename(file)}.${randomUUID()}`)
  try {
    const kind = await kindOf(file)
    if (kind === 'other') return await write(file, 'w', bytes)
    if (kind === 'file' && !isReplaced) throw alreadyThere(file)
    const size = await write(temporary, 'wx', bytes)
    if (isReplaced) await fs.rename(temporary, file)
    else await giveName(temporary, file)
    await using handle = await fs.open(folder)
    await handle.sync()
    return size
  } catch (error) {
    throw explain(error, file, 'write')
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

async function kindOf(file: string): Promise<'absent' | 'file' | 'other'> {
  try {
    return (await fs.stat(file)).isFile() ? 'file' : 'other'
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT')) return 'absent'
    throw error
  }
}

async function write(file: string, flags: 'w' | 'wx', bytes: ByteSource): Promise<number> {
  await using handle = await fs.open(file, flags, 0o600)
  let size = 0
  for await (const chunk of bytes) {
    await handle.writeFile(chunk)
    size += chunk.byteLength
  }
  if (flags === 'wx') await handle.sync()
  return size
}

/** A link fails where the name is taken by now; a file system without links gets a rename. */
async function giveName(temporary: string, file: string): Promise<void> {
  try {
    await fs.link(temporary, file)
  } catch (error) {
    if (hasSystemCode(error, 'EEXIST')) throw alreadyThere(file)
    if (!hasSystemCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    await fs.rename(temporary, file)
  }
}

function alreadyThere(file: string): ChantalError {
  return new ChantalError('ALREADY_EXISTS', `${file} is there already`, {
    hint: 'Choose another name, or give --force to replace it.',
    details: { path: file },
  })
}

function explain(error: unknown, file: string, verb: 'read' | 'write'): unknown {
  const details = { path: file }
  if (verb === 'read' && hasSystemCode(error, 'ENOENT', 'ENOTDIR'))
    return new ChantalError('NOT_FOUND', `no file ${file}`, { cause: error, details })
  if (hasSystemCode(error, 'ENOSPC', 'EDQUOT')) {
    return new ChantalError('DISK_FULL', `no space left on the disk of ${file}`, {
      cause: error,
      hint: 'Free space there, or write to another disk.',
      details,
    })
  }
  if (hasSystemCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR')) {
    return new ChantalError('NOT_WRITABLE', `cannot ${verb} ${file}`, {
      cause: error,
      hint: 'Check the file and its folder, and the user who runs this program.',
      details,
    })
  }
  return error
}
