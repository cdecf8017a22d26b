import { access, constants, stat } from 'node:fs/promises'
import path from 'node:path'
import { hasSystemCode } from '../../core/errors.ts'
import { type Examined, type Finding, notice, problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

/** Whether we may write where we must, and whether a web server of another user may enter what is published. */
export async function checkPermissions({ settings }: Pick<DoctorParts, 'settings'>): Promise<Examined> {
  const { basePath, poolPath, publishedPath } = settings.storage
  const findings: Finding[] = []
  for (const folder of new Set([basePath, poolPath, publishedPath])) {
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

/** The folder itself, or the first above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  for (let candidate = folder; ; candidate = path.dirname(candidate)) {
    try {
      await stat(candidate)
      return candidate
    } catch (error) {
      if (!hasSystemCode(error, 'ENOENT', 'ENOTDIR') || candidate === path.dirname(candidate)) throw error
    }
  }
}
