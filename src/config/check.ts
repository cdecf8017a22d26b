import { createPrivateKey, type X509Certificate } from 'node:crypto'
import { isChantalError } from '../core/errors.ts'
import { openOpenPgpSigner, openOpenPgpVerifier } from '../sign/openpgp.ts'
import { parseCertificate } from './entitlement.ts'
import type { RepositorySettings, Settings, SigningOwner } from './settings.ts'
import { explainUnverified } from './unverified-metadata.ts'

/** Something that loads and would not work. */
export interface ConfigurationProblem {
  /** Its id; of a view the name. */
  readonly repository: string
  readonly problem: string
  readonly hint: string | null
}

/** What `config check` says beyond loading. */
export interface CheckResult {
  readonly problems: readonly ConfigurationProblem[]
  readonly notices: readonly string[]
}

/**
 * Opens what a loaded configuration names: every file can be read, keys are OpenPGP keys with the wanted fingerprints, certificates
 * are certificates, valid at `now` and belong to their key, signing keys unlock.
 */
export async function checkConfiguration(settings: Settings, now: Date): Promise<CheckResult> {
  const problems: ConfigurationProblem[] = []
  const notices: string[] = settings.notices.map(({ message }) => message)
  for (const repository of settings.repositories) {
    const report = (problem: string, hint: string | null = null) =>
      void problems.push({ repository: repository.id, problem, hint })
    for (const error of repository.problems) report(error.message, error.hint ?? null)
    await checkKeys(repository, now, report)
    await checkSigning(repository, now, report)
    checkCertificates(repository, now, report, notices)
    if (!repository.tls.verify)
      notices.push(`${repository.id}: certificates of upstream are not verified (ssl.verify is false)`)
    if (repository.mode !== 'hosted' && repository.verify.metadata === 'off') {
      const { reason, hint } = explainUnverified(repository.verify)
      notices.push(`${repository.id}: upstream's signature is not checked, since ${reason}. ${hint}`)
    }
  }
  for (const view of settings.views) {
    const report = (problem: string, hint: string | null = null) =>
      void problems.push({ repository: view.name, problem, hint })
    for (const error of view.problems) report(error.message, error.hint ?? null)
    await checkSigning(view, now, report)
  }
  return { problems, notices }
}

type Report = (problem: string, hint?: string | null) => void

async function checkKeys({ verify, problems }: RepositorySettings, now: Date, report: Report): Promise<void> {
  // Alpine's keys are PEM, and its own business.
  const keys = verify.keys.filter((key) => !isPem(Buffer.from(key).toString('latin1')))
  if (keys.length === 0 || problems.length > 0) return
  const { fingerprints } = verify
  await attempt(() => openOpenPgpVerifier({ keys, fingerprints, now: () => now }), 'verify', report)
}

/** Signs nothing of importance, which an expired key refuses too. */
async function checkSigning({ signing }: SigningOwner, now: Date, report: Report): Promise<void> {
  if (signing === null || signing.key === '') return
  if (isPem(signing.key)) {
    if (!canOpen(signing.key, signing.passphrase)) report('signing: the PEM key cannot be read or unlocked')
    return
  }
  const sign = async () => (await openOpenPgpSigner(signing)).detached(new Uint8Array(), now)
  await attempt(sign, 'signing', report)
}

function isPem(key: string): boolean {
  return /-----BEGIN ((RSA|EC|ENCRYPTED) )?(PRIVATE|PUBLIC) KEY-----/.test(key)
}

function canOpen(key: string, passphrase: string | null): boolean {
  try {
    createPrivateKey({ key, ...(passphrase !== null && { passphrase }) })
    return true
  } catch {
    return false
  }
}

async function attempt(open: () => Promise<unknown>, section: string, report: Report): Promise<void> {
  try {
    await open()
  } catch (error) {
    if (!isChantalError(error)) throw error
    report(`${section}: ${error.message}`, error.hint ?? null)
  }
}

const soonMs = 14 * 86_400_000

function checkCertificates(
  { id, tls }: RepositorySettings,
  now: Date,
  report: Report,
  notices: string[],
): void {
  if (tls.ca !== null) {
    const bundle =
      tls.ca.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[\s\S]*?-----END \1?CERTIFICATE-----/g) ?? []
    if (bundle.length === 0) report('ssl.ca_bundle holds no PEM certificate')
    const broken = bundle.filter((pem) => parseCertificate(pem) === null).length
    if (broken > 0) report(`${broken} of ${bundle.length} certificates of ssl.ca_bundle cannot be read`)
  }
  if (tls.certificate === null || tls.key === null) return
  const certificate = parseCertificate(tls.certificate)
  if (!certificate) {
    report('the client certificate is not a PEM certificate')
    return
  }
  if (certificate.validToDate < now)
    report(`the client certificate expired on ${day(certificate.validToDate)}`, 'Renew it.')
  else if (certificate.validToDate.getTime() - now.getTime() < soonMs) {
    notices.push(`${id}: the client certificate expires on ${day(certificate.validToDate)}`)
  }
  if (certificate.validFromDate > now)
    report(`the client certificate is valid only from ${day(certificate.validFromDate)}`)
  const matches = belongsTo(certificate, tls.key)
  if (matches === null)
    report('the private key of the client certificate is not a PEM key without passphrase')
  else if (!matches) report('the private key does not belong to the client certificate')
}

function belongsTo(certificate: X509Certificate, key: string): boolean | null {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    return null
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
