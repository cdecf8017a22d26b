import { explainUnverified } from '../../config/unverified-metadata.ts'
import { type Examined, type Finding, notice, problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

/** What loads and cannot be used, and what loads and is not safe. */
export async function checkConfiguration({ settings }: Pick<DoctorParts, 'settings'>): Promise<Examined> {
  const findings: Finding[] = settings.notices.map(({ message }) => notice('configuration', message))
  for (const { id, problems, tls, mode, verify } of settings.repositories) {
    for (const { message, hint } of problems)
      findings.push(problem(id, 'CONFIG_INVALID', message, hint ?? 'Run `chantal config check`.'))
    if (!tls.verify)
      findings.push(notice(id, 'certificates of upstream are not verified', 'Remove `ssl.verify: false`.'))
    if (mode !== 'hosted' && verify.metadata === 'off') {
      const { reason, hint } = explainUnverified(verify)
      findings.push(notice(id, `upstream's signature is not checked, since ${reason}`, hint))
    }
  }
  for (const { name, problems } of settings.views) {
    for (const { message, hint } of problems)
      findings.push(problem(name, 'CONFIG_INVALID', message, hint ?? 'Run `chantal config check`.'))
  }
  const { files, repositories, views } = settings
  return {
    summary: `${files.join(', ')}: ${repositories.length} ${repositories.length === 1 ? 'repository' : 'repositories'}, ${views.length} ${views.length === 1 ? 'view' : 'views'}`,
    findings,
  }
}
