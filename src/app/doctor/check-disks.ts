import { type Examined, type Finding, problem, warning } from './finding.ts'
import type { DiskFacts, DoctorParts } from './parts.ts'

/** A sync that needs more than this is common. */
const fewBytes = 1_000_000_000
const fewParts = 0.01
const soonFewParts = 0.05

const freeSome = 'Free some with `chantal snapshot prune` and `chantal pool gc`, or enlarge the disk.'

/** Room for bytes and for names, and whether published trees can be hard links into the pool. */
export async function checkDisks({
  settings,
  disk,
}: Pick<DoctorParts, 'settings' | 'disk'>): Promise<Examined> {
  const { poolPath, publishedPath } = settings.storage
  const pool = await disk(poolPath)
  const published = await disk(publishedPath)
  const isOne = pool.device === published.device
  const findings: Finding[] = [
    ...roomFindings(poolPath, pool),
    ...(isOne ? [] : roomFindings(publishedPath, published)),
  ]
  if (!isOne) {
    findings.push(
      warning(
        publishedPath,
        'CONFIG_INVALID',
        'published trees and the pool are on two file systems: every published package is a copy',
        'Put `storage.pool_path` and `storage.published_path` on one file system.',
      ),
    )
  }
  const free = isOne
    ? `${gigabytes(pool.freeBytes)} free`
    : `pool ${gigabytes(pool.freeBytes)} free, published ${gigabytes(published.freeBytes)} free`
  return { summary: free, findings }
}

function roomFindings(folder: string, facts: DiskFacts): readonly Finding[] {
  const findings: Finding[] = []
  const { freeBytes, totalBytes, freeInodes, totalInodes } = facts
  if (freeBytes < fewBytes)
    findings.push(problem(folder, 'DISK_FULL', `only ${gigabytes(freeBytes)} are free`, freeSome))
  else if (freeBytes < totalBytes * soonFewParts)
    findings.push(
      warning(
        folder,
        'DISK_FULL',
        `only ${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} are free`,
        freeSome,
      ),
    )
  if (totalInodes === 0) return findings
  const names = `only ${freeInodes} of ${totalInodes} inodes are free: no more files, however many bytes there are`
  if (freeInodes < totalInodes * fewParts) findings.push(problem(folder, 'DISK_FULL', names, freeSome))
  else if (freeInodes < totalInodes * soonFewParts)
    findings.push(warning(folder, 'DISK_FULL', names, freeSome))
  return findings
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
