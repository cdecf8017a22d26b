import { createHash } from 'node:crypto'
import type { PackageVerdict } from '../core/package-signature.ts'
import { loadOpenPgp } from './openpgp-library.ts'
import { readSignaturePackets } from './openpgp-packets.ts'
import { clockToleranceMs } from './openpgp-verifier.ts'
import { type PackageKey, readPackageKeys } from './package-keys.ts'
import type { SignatureCheck } from './public-key.ts'
import { digestNames, parseSignaturePacket, type SignaturePacket } from './signature-packet.ts'
import { readTrustedKeys, type TrustedKeys } from './trusted-keys.ts'

/** Digests that can be forged; each counts only where an administrator says so. */
export type WeakDigest = 'sha1' | 'md5'

/**
 * Checks the signatures that packages carry, against the keys one repository trusts and no others. A verdict is a value.
 *
 * Unlike metadata, a package lives for years: it stays good after the key that signed it has expired, if it was signed before.
 * A key that was revoked as compromised, or without a reason, vouches for nothing; one that was retired, for what it signed before.
 * One good signature is enough, whatever the others are: packages carry two while their keys rotate.
 */
export interface PackageVerifier {
  /** Equal for equal keys and rules. */
  readonly policy: string
  /**
   * @param signatures each one packet or several, as OpenPGP has them
   * @param content what they sign, read once at most
   */
  verify(
    signatures: readonly Uint8Array[],
    content: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<PackageVerdict>
}

/** @throws ChantalError `CONFIG_INVALID` for keys that cannot be read, or fingerprints of none of them */
export async function openPackageVerifier(
  trusted: TrustedKeys & { readonly weakDigests: readonly WeakDigest[] },
): Promise<PackageVerifier> {
  const openpgp = await loadOpenPgp()
  const certificates = await readTrustedKeys(openpgp, trusted)
  const keys = (await Promise.all(certificates.map((key) => readPackageKeys(openpgp, key)))).flat()
  return new KeyRing(keys, trusted.weakDigests, trusted.now)
}

/** Trusts no key: tells whether there is a signature, and the id of the key that it names. */
export function openSignatureFinder({ now }: Pick<TrustedKeys, 'now'>): PackageVerifier {
  return new KeyRing([], [], now)
}

type Refused = Exclude<PackageVerdict, { readonly state: 'good' | 'unsigned' }>

interface Candidate {
  readonly signature: SignaturePacket
  readonly created: Date
  readonly key: PackageKey
  readonly check: SignatureCheck
}

/** In hex. Keys of version 6 sign by version 6, and no others do. @see RFC 9580, 5.2 */
const fingerprintLength6 = 64

/** More than any package has; each one costs a digest of what it signs. */
const maxSignatures = 16

class KeyRing implements PackageVerifier {
  readonly policy: string
  readonly #keys: readonly PackageKey[]
  readonly #byId = new Map<string, PackageKey[]>()
  readonly #weakDigests: ReadonlySet<string>
  readonly #now: () => Date

  constructor(keys: readonly PackageKey[], weakDigests: readonly WeakDigest[], now: () => Date) {
    this.#keys = keys
    this.#weakDigests = new Set(weakDigests)
    this.#now = now
    for (const key of keys) this.#byId.set(key.keyId, [...(this.#byId.get(key.keyId) ?? []), key])
    const rules = keys.map(({ ownFingerprint, refusal, expires, revokedFrom }) =>
      JSON.stringify([ownFingerprint, refusal, expires, revokedFrom]),
    )
    const text = JSON.stringify([rulesVersion, rules.sort(), [...this.#weakDigests].sort()])
    this.policy = createHash('sha256').update(text).digest('hex').slice(0, 32)
  }

  async verify(
    signatures: readonly Uint8Array[],
    content: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<PackageVerdict> {
    const refusals: Refused[] = []
    const candidates: Candidate[] = []
    let found = 0
    for (const packets of withoutDuplicates(signatures)) {
      for (const body of readBodies(packets, refusals)) {
        found += 1
        if (found > maxSignatures) return bad(null, `it has more than ${maxSignatures} signatures`)
        candidates.push(...this.#judge(body, refusals))
      }
    }
    if (candidates.length > 0) {
      for (const { signature, check } of candidates) check.update(signature.salt)
      for await (const chunk of content()) for (const { check } of candidates) check.update(chunk)
    }
    for (const { signature, created, key, check } of candidates) {
      check.update(signature.trailer)
      if (check.finish()) {
        return { state: 'good', fingerprint: key.fingerprint, keyId: key.keyId, signedAt: created }
      }
      refusals.push(bad(key.keyId, 'bad signature: the package or the signature was changed'))
    }
    return gravest(refusals)
  }

  /** All that can be said before the content is read. What is refused goes to `refusals`. */
  #judge(body: Uint8Array, refusals: Refused[]): readonly Candidate[] {
    const signature = parseOrRefuse(body, refusals)
    if (!signature) return []
    const { keyId, fingerprint } = signature.issuer
    const keys = keyId === null ? this.#keys : (this.#byId.get(keyId) ?? [])
    const issuers = keys.filter((key) => fingerprint === null || key.ownFingerprint === fingerprint)
    if (issuers.length === 0) {
      refusals.push({ state: 'unknown-key', keyIds: keyId === null ? [] : [keyId] })
      return []
    }
    const candidates: Candidate[] = []
    for (const key of issuers) {
      const judged = this.#open(signature, key)
      if ('check' in judged) candidates.push(judged)
      else refusals.push(judged)
    }
    return candidates
  }

  #open(signature: SignaturePacket, key: PackageKey): Candidate | Refused {
    const { created } = signature
    const hash = digestNames[signature.hashAlgorithm]
    const reason =
      this.#objectToSignature(signature) ?? key.refusal ?? objectToTime(signature, key, this.#now())
    if (reason !== null || created === null) return bad(key.keyId, reason ?? 'the signature has no time')
    if (!key.publicKey) return unsupported(key.keyId, 'keys of its kind are not supported')
    if (hash === undefined)
      return unsupported(key.keyId, `digest ${signature.hashAlgorithm} is not supported`)
    if (key.publicKey.algorithm !== signature.keyAlgorithm)
      return bad(key.keyId, 'the signature is of another algorithm than the key')
    if ((signature.version === 6) !== (key.ownFingerprint.length === fingerprintLength6))
      return bad(key.keyId, 'the signature is of another version than the key')
    try {
      return { signature, created, key, check: key.publicKey.check(hash, signature.value) }
    } catch (error) {
      return bad(key.keyId, error instanceof Error ? error.message : String(error))
    }
  }

  #objectToSignature({ type, obstacle, hashAlgorithm }: SignaturePacket): string | null {
    if (type !== 0) return 'it is not the signature of a file'
    const digest = digestNames[hashAlgorithm] ?? ''
    if ((digest === 'sha1' || digest === 'md5') && !this.#weakDigests.has(digest)) {
      const name = digest === 'sha1' ? 'SHA-1' : 'MD5'
      return `its digest is too weak (${name}); verify.weak_digests may accept it`
    }
    return obstacle
  }
}

/** Goes up when the rules change, so that what is held is judged anew. */
const rulesVersion = 1

function objectToTime({ created, expiresAt }: SignaturePacket, key: PackageKey, now: Date): string | null {
  if (!created) return null
  if (created.getTime() > now.getTime() + clockToleranceMs)
    return `made in the future, at ${created.toISOString()}`
  if (expiresAt && expiresAt <= now) return 'the signature has expired'
  if (created < key.created) return 'the key is newer than the signature'
  if (key.expires && created >= key.expires) return 'the key had expired before it signed'
  if (key.revokedFrom && created >= key.revokedFrom) return 'the key was revoked before it signed'
  return null
}

/** Each tag may say the same once more, for older readers. */
function withoutDuplicates(signatures: readonly Uint8Array[]): readonly Uint8Array[] {
  const seen = new Set<string>()
  return signatures.filter((signature) => {
    const text = Buffer.from(signature).toString('latin1')
    return !seen.has(text) && seen.add(text)
  })
}

function readBodies(packets: Uint8Array, refusals: Refused[]): readonly Uint8Array[] {
  try {
    return readSignaturePackets(packets).map(({ body }) => body)
  } catch (error) {
    refusals.push(bad(null, error instanceof Error ? error.message : String(error)))
    return []
  }
}

function parseOrRefuse(body: Uint8Array, refusals: Refused[]): SignaturePacket | null {
  try {
    const signature = parseSignaturePacket(body)
    if (!signature) refusals.push(unsupported(null, `signatures of version ${body[0]} are not supported`))
    return signature
  } catch (error) {
    refusals.push(bad(null, error instanceof Error ? error.message : String(error)))
    return null
  }
}

/** What a trusted key signed and is refused says more than the signatures of strangers. */
function gravest(refusals: readonly Refused[]): PackageVerdict {
  const gravity = (refusal: Refused) => {
    if (refusal.state === 'bad') return refusal.keyId === null ? 1 : 3
    return refusal.state === 'unsupported' ? 2 : 0
  }
  const [worst] = refusals.toSorted((a, b) => gravity(b) - gravity(a))
  if (worst && worst.state !== 'unknown-key') return worst
  const keyIds = refusals.flatMap((refusal) => (refusal.state === 'unknown-key' ? refusal.keyIds : []))
  return refusals.length === 0
    ? { state: 'unsigned' }
    : { state: 'unknown-key', keyIds: [...new Set(keyIds)] }
}

function bad(keyId: string | null, reason: string): Refused {
  return { state: 'bad', keyId, reason }
}

function unsupported(keyId: string | null, reason: string): Refused {
  return { state: 'unsupported', keyId, reason }
}
