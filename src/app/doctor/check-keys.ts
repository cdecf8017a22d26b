import type { SigningSettings } from '../../config/settings.ts'
import { type ErrorCode, isChantalError } from '../../core/errors.ts'
import type { KeyFacts } from '../../sign/key-facts.ts'
import { day, type Examined, type Finding, problem, soonMs, warning } from './finding.ts'
import type { DoctorParts } from './parts.ts'

type Parts = Pick<DoctorParts, 'settings' | 'verifyKeys' | 'signingKey' | 'now'>

/** Whether the keys that upstream is checked against and those that we sign with are good, and for how long. Each key once. */
export async function checkKeys(parts: Parts): Promise<Examined> {
  const { settings } = parts
  const findings: Finding[] = []
  const seen = new Map<string, KeyFacts>()
  for (const repository of settings.repositories) {
    if (repository.verify.keys.length === 0 || repository.problems.length > 0) continue
    try {
      for (const key of await parts.verifyKeys(repository)) {
        if (!seen.has(key.fingerprint)) findings.push(...verifyFindings(repository.id, key, parts.now()))
        seen.set(key.fingerprint, key)
      }
    } catch (error) {
      findings.push(unreadable(repository.id, error))
    }
  }
  const signing = await checkSigning(parts, findings)
  return { summary: `${seen.size} to verify with, ${signing} to sign with`, findings }
}

async function checkSigning({ settings, signingKey, now }: Parts, findings: Finding[]): Promise<number> {
  const owners = [
    ...settings.repositories.map(({ id, signing, problems }) => ({ name: id, signing, problems })),
    ...settings.views.map(({ name, signing, problems }) => ({ name, signing, problems })),
  ]
  const first = new Map<string, { readonly name: string; readonly signing: SigningSettings }>()
  for (const { name, signing, problems } of owners) {
    if (signing && problems.length === 0 && !first.has(signing.key)) first.set(signing.key, { name, signing })
  }
  for (const { name, signing } of first.values()) {
    // A PEM key is an ecosystem's own, and has no end.
    if (/-----BEGIN ((RSA|EC|ENCRYPTED) )?PRIVATE KEY-----/.test(signing.key)) continue
    try {
      findings.push(...signingFindings(name, await signingKey(signing), now()))
    } catch (error) {
      findings.push(unreadable(name, error))
    }
  }
  return first.size
}

function verifyFindings(repository: string, key: KeyFacts, now: Date): readonly Finding[] {
  return endFindings(key, now, {
    subject: repository,
    code: 'SIGNATURE_INVALID',
    what: 'the key of upstream',
    hint: 'Get its new key from whoever runs it, compare the fingerprint, and add it to `verify.keys`.',
  })
}

function signingFindings(owner: string, key: KeyFacts, now: Date): readonly Finding[] {
  return endFindings(key, now, {
    subject: owner,
    code: 'SIGNING_FAILED',
    what: 'our signing key',
    hint: 'Prolong it with gpg or make another (`chantal init`), and give clients its public key before it ends.',
  })
}

interface Wording {
  readonly subject: string
  readonly code: ErrorCode
  readonly what: string
  readonly hint: string
}

function endFindings(
  { fingerprint, userId, expiresAt, refusal }: KeyFacts,
  now: Date,
  { subject, code, what, hint }: Wording,
): readonly Finding[] {
  const named = `${what} ${fingerprint}${userId === null ? '' : ` (${userId})`}`
  if (refusal !== null) return [problem(subject, code, `${named} is of no use: ${refusal}`, hint)]
  if (expiresAt === null) return []
  if (expiresAt <= now) return [problem(subject, code, `${named} expired on ${day(expiresAt)}`, hint)]
  if (expiresAt.getTime() - now.getTime() > soonMs) return []
  return [warning(subject, code, `${named} expires on ${day(expiresAt)}`, hint)]
}

function unreadable(subject: string, error: unknown): Finding {
  if (!isChantalError(error)) throw error
  return problem(subject, error.code, error.message, error.hint ?? null)
}
