import { access, constants, lstat, stat } from 'node:fs/promises'
import path from 'node:path'
import { hasSystemCode } from '../../core/errors.ts'
import { type Examined, type Finding, notice, problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

/** Whether we may write where we must, and whether a web server of another user may enter what is published. */
export async function checkPermissions({ settings }: Pick<DoctorParts, 'settings'>): Promise<Examined> {
  const { basePath, poolPath, publishedPath } = settings.storage
  const findings: Finding[] = []
  for (const folder of new Set([basePath, poolPath, publishedPath])) {
    const obstacle = await findObstacle(folder)
    if (obstacle !== null) {
      const hint = 'Is the disk mounted? If it is, correct the path.'
      findings.push(problem(folder, 'NOT_WRITABLE', obstacle, hint))
      continue
    }
    const nearest = await nearestFolder(folder)
    if (await mayWrite(nearest)) continue
    findings.push(
      problem(
        folder,
        'NOT_WRITABLE',
        nearest === folder ? 'this user may not write here' : `this user may not make it in ${nearest}`,
        'Run as the user who owns it, or correct owner and mode.',
      ),
    )
  }
  findings.push(...(await closedFolders(publishedPath)))
  return { summary: `${poolPath}, ${publishedPath}`, findings }
}

/** Folders on the way to what is published that other users may not enter. What we publish has modes of its own, whatever the umask. */
async function closedFolders(publishedPath: string): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (let folder = await nearestFolder(publishedPath); ; folder = path.dirname(folder)) {
    const { mode } = await stat(folder)
    if ((mode & 0o001) === 0) {
      findings.push(
        notice(
          folder,
          `other users may not enter it (mode ${(mode & 0o777).toString(8).padStart(4, '0')}), and ${publishedPath} lies in it`,
          `A web server of another user needs it: \`chmod o+x ${folder}\`, or make it a member of the group.`,
        ),
      )
    }
    if (folder === path.dirname(folder)) return findings
  }
}

async function mayWrite(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** What no folder can be made in or in place of, as a sentence; `null` where the way is free. `stat` alone takes a dangling link for nothing. */
async function findObstacle(folder: string): Promise<string | null> {
  for (let candidate = folder; ; candidate = path.dirname(candidate)) {
    if ((await orMissing(lstat(candidate))) === null && candidate !== path.dirname(candidate)) continue
    const found = await orMissing(stat(candidate))
    if (found === null) return `${candidate} is a link that leads nowhere`
    return found.isDirectory() ? null : `${candidate} is no folder`
  }
}

async function orMissing<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: unknown) => {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null
    throw error
  })
}

/** The folder itself, or the first above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  for (let candidate = folder; ; candidate = path.dirname(candidate)) {
    try {
      await stat(candidate)
      return candidate
    } catch (error) {
      if (!hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP') || candidate === path.dirname(candidate))
        throw error
    }
  }
}
