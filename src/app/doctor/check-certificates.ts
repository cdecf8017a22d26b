import { parseCertificate } from '../../config/entitlement.ts'
import { day, type Examined, type Finding, problem, soonMs, warning } from './finding.ts'
import type { DoctorParts } from './parts.ts'

const renew = 'Renew it; of a RHEL subscription: `subscription-manager refresh`.'

/** Until when client certificates, entitlements of subscriptions among them, let us in. Each once. */
export async function checkCertificates({
  settings,
  now,
}: Pick<DoctorParts, 'settings' | 'now'>): Promise<Examined> {
  const findings: Finding[] = []
  const seen = new Set<string>()
  const today = now()
  for (const { id, tls } of settings.repositories) {
    if (tls.certificate === null || seen.has(tls.certificate)) continue
    seen.add(tls.certificate)
    const certificate = parseCertificate(tls.certificate)
    if (!certificate) {
      findings.push(
        problem(
          id,
          'CONFIG_INVALID',
          'the client certificate is not a PEM certificate',
          'Correct `ssl.client_cert` or `auth`.',
        ),
      )
      continue
    }
    const { validFromDate, validToDate } = certificate
    if (validToDate <= today)
      findings.push(
        problem(id, 'UPSTREAM_REFUSED', `the client certificate expired on ${day(validToDate)}`, renew),
      )
    else if (validFromDate > today)
      findings.push(
        problem(
          id,
          'UPSTREAM_REFUSED',
          `the client certificate is valid only from ${day(validFromDate)}`,
          'Compare the clock of this machine.',
        ),
      )
    else if (validToDate.getTime() - today.getTime() <= soonMs)
      findings.push(
        warning(id, 'UPSTREAM_REFUSED', `the client certificate expires on ${day(validToDate)}`, renew),
      )
  }
  return { summary: `${seen.size} client certificates`, findings }
}
