import type { Settings } from '../../config/settings.ts'
import { ChantalError, errorTraits } from '../../core/errors.ts'
import { chooseRepositories } from '../configured.ts'
import { checkCatalog } from './check-catalog.ts'
import { checkCertificates } from './check-certificates.ts'
import { checkClocks } from './check-clocks.ts'
import { checkConfiguration } from './check-configuration.ts'
import { checkDisks } from './check-disks.ts'
import { checkFeeds } from './check-feeds.ts'
import { checkKeys } from './check-keys.ts'
import { checkPermissions } from './check-permissions.ts'
import { checkPool } from './check-pool.ts'
import type { Examined, Finding, Severity } from './finding.ts'
import { problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

export interface DoctorInput {
  /** Of these repositories alone keys, certificates and feeds are looked at; none means all. Ids or shell patterns. */
  readonly ids: readonly string[]
  /** How long an upstream may take to answer, in milliseconds. */
  readonly timeoutMs: number
}

/** One check of `doctor`. */
export interface DoctorCheck extends Examined {
  readonly check: string
  /** The gravest of its findings; `fine` where there is none. */
  readonly status: Severity | 'fine'
}

/** The shape of `doctor --json`. */
export interface Diagnosis {
  readonly status: Severity | 'fine'
  readonly checks: readonly DoctorCheck[]
}

/** Looks at everything that has to be right for the program to work, and says what to do about what is not. Changes nothing. */
export async function examine(
  parts: DoctorParts,
  { ids, timeoutMs }: DoctorInput,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const chosen = { ...parts, settings: choose(parts.settings, ids) }
  const catalog = await checkCatalog(parts)
  const feeds = await checkFeeds(chosen, timeoutMs, signal)
  return diagnosisOf([
    ['configuration', await checkConfiguration(chosen)],
    ['keys', await checkKeys(chosen)],
    ['certificates', await checkCertificates(chosen)],
    ['catalog', catalog],
    ['pool', await checkPool(parts, catalog.status?.id ?? null)],
    ['disks', await checkDisks(parts)],
    ['permissions', await checkPermissions(parts)],
    ['feeds', feeds],
    ['clocks', await checkClocks(feeds.answers)],
  ])
}

/** What there is to say where the configuration does not load: nothing else can be looked at. */
export function diagnoseConfiguration({ code, message, hint, details }: ChantalError): Diagnosis {
  const problems = Array.isArray(details['problems']) ? details['problems'].map(String) : []
  const text = [message, ...problems].join('\n')
  return diagnosisOf([
    [
      'configuration',
      { summary: 'does not load', findings: [problem('configuration', code, text, hint ?? null)] },
    ],
  ])
}

function choose(settings: Settings, ids: readonly string[]): Settings {
  if (ids.length === 0) return settings
  return { ...settings, repositories: chooseRepositories(settings, { ids }), views: [] }
}

function diagnosisOf(examined: readonly (readonly [string, Examined])[]): Diagnosis {
  const checks = examined.map(([check, { summary, findings }]) => ({
    check,
    status: gravest(findings.map(({ severity }) => severity)),
    summary,
    findings,
  }))
  return { status: gravest(checks.map(({ status }) => status)), checks }
}

const severities = ['problem', 'warning', 'notice'] as const

function gravest(found: readonly (Severity | 'fine')[]): Severity | 'fine' {
  return severities.find((severity) => found.includes(severity)) ?? 'fine'
}

/** Exit statuses, what keeps more from working first. */
const gravity = [2, 70, 40, 41, 60, 33, 32, 22, 21, 20, 23, 11]

/** What a diagnosis that found something to do ends with: the gravest finding's error. Problems count for more than warnings. */
export function diagnosisError({ checks }: Diagnosis): ChantalError | null {
  const findings = checks.flatMap((check) => check.findings.filter(({ severity }) => severity !== 'notice'))
  const rank = ({ severity, code }: Finding) => {
    const place = gravity.indexOf(code === null ? 0 : errorTraits[code].exit)
    return severities.indexOf(severity) * 100 + (place < 0 ? gravity.length : place)
  }
  const [first] = findings.toSorted((a, b) => rank(a) - rank(b))
  if (!first || first.code === null) return null
  const others = findings.length - 1
  return new ChantalError(
    first.code,
    `${first.subject}: ${first.message}${others > 0 ? `; and ${others} more` : ''}`,
    { ...(first.hint !== null && { hint: first.hint }), details: { findings: findings.length } },
  )
}
