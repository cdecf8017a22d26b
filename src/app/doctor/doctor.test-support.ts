import type { Settings } from '../../config/settings.ts'
import { openDoctor } from '../../open-doctor.ts'
import { type Diagnosis, examine } from './doctor.ts'
import type { Finding } from './finding.ts'
import type { DiskFacts } from './parts.ts'

const signal = new AbortController().signal
export const roomy: DiskFacts = {
  device: 1,
  freeBytes: 5e11,
  totalBytes: 1e12,
  freeInodes: 5e6,
  totalInodes: 1e7,
}

interface Circumstances {
  readonly now?: Date
  readonly disks?: (folder: string) => DiskFacts
  readonly timeoutMs?: number
  readonly ids?: readonly string[]
}

export async function diagnose(settings: Settings, circumstances: Circumstances = {}): Promise<Diagnosis> {
  const { now = new Date(), disks = () => roomy, timeoutMs = 10_000, ids = [] } = circumstances
  await using parts = await openDoctor(settings, {
    reporter: { report: () => {} },
    now: () => now,
    version: 'test',
    disk: async (folder) => disks(folder),
  })
  return await examine(parts, { ids, timeoutMs }, signal)
}

export const of = (diagnosis: Diagnosis, name: string) => {
  const found = diagnosis.checks.find(({ check }) => check === name)
  if (!found) throw new Error(`no check ${name}`)
  return found
}
export const inShort = (findings: readonly Finding[]) =>
  findings.map(({ severity, subject, code }) => `${severity} ${subject} ${code}`)
