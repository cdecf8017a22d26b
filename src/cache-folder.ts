import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { hasSystemCode } from './core/errors.ts'

/**
 * The user's own folder for what can be made anew: `$XDG_CACHE_HOME/chantal`, or `$HOME/.cache/chantal`. It is made where it is missing. It stays
 * open, and the path leads to what was looked at, whatever those who may write above it put in its place since.
 * @param environment of the process
 * @param uid whom it has to belong to; nobody else may enter it
 * @returns a path for this process alone; `null` where there is no such folder, and none can be made
 * @see XDG Base Directory Specification
 */
export function openCacheFolder(environment: NodeJS.ProcessEnv, uid: number): string | null {
  const above = folderAbove(environment)
  if (above === null) return null
  try {
    const descriptor = openOrMake(above, path.join(above, 'chantal'))
    const { uid: owner, mode } = fstatSync(descriptor)
    if (owner === uid && (mode & 0o077) === 0) return `/proc/self/fd/${descriptor}`
    closeSync(descriptor)
  } catch {
    // It is no more than a cache: the program runs without.
  }
  return null
}

function folderAbove({ XDG_CACHE_HOME: caches, HOME: home }: NodeJS.ProcessEnv): string | null {
  if (caches !== undefined && path.isAbsolute(caches)) return caches
  return home !== undefined && path.isAbsolute(home) ? path.join(home, '.cache') : null
}

function openOrMake(above: string, folder: string): number {
  const open = () => openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    return open()
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT')) throw error
  }
  // Of the folders above no more than the last: a home that does not exist stays so.
  for (const missing of [above, folder]) {
    try {
      mkdirSync(missing, { mode: 0o700 })
    } catch (error) {
      if (!hasSystemCode(error, 'EEXIST')) throw error
    }
  }
  return open()
}
