import type { Config, Key, SignaturePacket, Subkey } from 'openpgp'
import { type OpenPgp, upperCaseHex } from './openpgp-library.ts'
import { openPublicKey, type PublicKey } from './public-key.ts'

/** A primary key or subkey that may have signed packages, and when it was in force. */
export interface PackageKey {
  /** Of the primary key. */
  readonly fingerprint: string
  /** Of this key: what signatures name. */
  readonly ownFingerprint: string
  readonly keyId: string
  /** `null` where its kind is not supported. */
  readonly publicKey: PublicKey | null
  /** Why no signature by this key counts, whenever it was made. */
  readonly refusal: string | null
  readonly created: Date
  /** When it stops signing; what it signed before stays good. */
  readonly expires: Date | null
  /** From when on its signatures count no more. A key revoked as compromised is refused altogether. */
  readonly revokedFrom: Date | null
}

/** Every key and subkey of a certificate, those too that may not sign: a signature by one is refused with its reason. */
export async function readPackageKeys(openpgp: OpenPgp, certificate: Key): Promise<readonly PackageKey[]> {
  const reader = new CertificateReader(openpgp, certificate)
  const primary = await reader.primary()
  const subkeys = await Promise.all(certificate.subkeys.map((subkey) => reader.subkey(subkey, primary)))
  return [primary, ...subkeys]
}

/** Below these bits a key can be had by computing. Pinned keys are old ones at times: rpm signed with DSA of 1,024 bits until 2010. */
const minimumBits = 1024
const signFlag = 2

/** Revocations that say only that a key is not used any more: what it signed before stays good. */
const softReasons: ReadonlySet<number> = new Set([1, 3, 32])

class CertificateReader {
  readonly #openpgp: OpenPgp
  readonly #certificate: Key
  readonly #fingerprint: string
  /** What a certificate says of itself is as old as its key, and trusted because an administrator pinned it. */
  readonly #config: Config

  constructor(openpgp: OpenPgp, certificate: Key) {
    this.#openpgp = openpgp
    this.#certificate = certificate
    this.#fingerprint = upperCaseHex(certificate.getFingerprint())
    this.#config = { ...openpgp.config, rejectHashAlgorithms: new Set() }
  }

  async primary(): Promise<PackageKey> {
    const { keyPacket, users, revocationSignatures } = this.#certificate
    const { certGeneric, key: direct, keyRevocation } = this.#openpgp.enums.signature
    const data = { key: keyPacket }
    const certifications: SignaturePacket[] = []
    let unreadable = 0
    for (const user of users) {
      const named = { userID: user.userID, userAttribute: user.userAttribute, key: keyPacket }
      const good = await this.#valid(user.selfCertifications, keyPacket, certGeneric, named)
      certifications.push(...good)
      unreadable += user.selfCertifications.length - good.length
    }
    const directSignatures = directSignaturesOf(this.#certificate)
    const ofKey = await this.#valid(directSignatures, keyPacket, direct, data)
    const statements = [newest(certifications), newest(ofKey)].filter((one) => one !== null)
    const revocations = await this.#valid(revocationSignatures, keyPacket, keyRevocation, data)
    // Old keys carry self-signatures of version 3 only, which the library does not read: then the pinned key stands for itself.
    const isDamaged = statements.length === 0 && unreadable > 0
    return this.#describe(this.#certificate, {
      refusal: isDamaged ? 'the key does not vouch for itself' : null,
      flags: statements.map(({ keyFlags }) => keyFlags).find((flags) => flags !== null) ?? null,
      expires: earliest(statements.map((statement) => expiryOf(keyPacket.created, statement))),
      revocations,
    })
  }

  async subkey(subkey: Subkey, primary: PackageKey): Promise<PackageKey> {
    const { keyPacket } = this.#certificate
    const { subkeyBinding, subkeyRevocation } = this.#openpgp.enums.signature
    const data = { key: keyPacket, bind: subkey.keyPacket }
    const binding = newest(await this.#valid(subkey.bindingSignatures, keyPacket, subkeyBinding, data))
    const revocations = await this.#valid(subkey.revocationSignatures, keyPacket, subkeyRevocation, data)
    const own = this.#describe(subkey, {
      refusal: binding ? null : 'the subkey is not bound to its primary key',
      flags: binding?.keyFlags ?? null,
      expires: binding && expiryOf(subkey.keyPacket.created, binding),
      revocations,
    })
    const isClaimed = binding !== null && (await this.#hasAgreed(subkey, binding))
    return {
      ...own,
      refusal:
        own.refusal ??
        (primary.refusal === notForSigning ? null : primary.refusal) ??
        (isClaimed ? null : 'the subkey has not agreed to sign for its primary key'),
      expires: earliest([own.expires, primary.expires]),
      revokedFrom: earliest([own.revokedFrom, primary.revokedFrom]),
    }
  }

  /** Else a stranger's signing key could be claimed as one's own. */
  async #hasAgreed(subkey: Subkey, { embeddedSignature }: SignaturePacket): Promise<boolean> {
    if (!embeddedSignature) return false
    const data = { key: this.#certificate.keyPacket, bind: subkey.keyPacket }
    const { keyBinding } = this.#openpgp.enums.signature
    return (await this.#valid([embeddedSignature], subkey.keyPacket, keyBinding, data)).length === 1
  }

  #describe(
    key: Key | Subkey,
    said: {
      readonly refusal: string | null
      readonly flags: Uint8Array | null
      readonly expires: Date | null
      readonly revocations: readonly SignaturePacket[]
    },
  ): PackageKey {
    const { keyPacket } = key
    const hard = said.revocations.some(({ reasonForRevocationFlag }) => !isSoft(reasonForRevocationFlag))
    const mayNotSign = said.flags !== null && ((said.flags[0] ?? 0) & signFlag) === 0
    const { publicKey, problem } = openOrExplain(keyPacket)
    return {
      fingerprint: this.#fingerprint,
      ownFingerprint: upperCaseHex(key.getFingerprint()),
      keyId: upperCaseHex(key.getKeyID().toHex()),
      publicKey,
      refusal:
        said.refusal ??
        (hard ? 'the key is revoked' : null) ??
        (mayNotSign ? notForSigning : null) ??
        problem,
      created: keyPacket.created,
      expires: said.expires,
      revokedFrom: earliest(said.revocations.map(({ created }) => created)),
    }
  }

  /** Those that the key made. Each is looked at as of its own time: when it was said matters, not how long it is good for. */
  async #valid(
    signatures: readonly SignaturePacket[],
    by: Key['keyPacket'] | Subkey['keyPacket'],
    type: Parameters<SignaturePacket['verify']>[1],
    data: object,
  ): Promise<readonly SignaturePacket[]> {
    const good: SignaturePacket[] = []
    for (const signature of signatures) {
      try {
        await signature.verify(by, type, data, signature.created ?? undefined, false, this.#config)
        good.push(signature)
      } catch {
        // A statement that does not hold says nothing.
      }
    }
    return good
  }
}

const notForSigning = 'the key may not sign'

function openOrExplain(packet: Key['keyPacket'] | Subkey['keyPacket']): {
  readonly publicKey: PublicKey | null
  readonly problem: string | null
} {
  const { curve } = packet.getAlgorithmInfo()
  try {
    const publicKey = openPublicKey(packet.algorithm, packet.publicParams, curve)
    const bits = publicKey?.bits ?? null
    const isWeak = bits !== null && bits < minimumBits
    return { publicKey, problem: isWeak ? `the key is too weak, with ${bits} bits` : null }
  } catch (error) {
    return {
      publicKey: null,
      problem: `the key is damaged: ${error instanceof Error ? error.message : error}`,
    }
  }
}

/** The library keeps them, and does not say so in its types. */
function directSignaturesOf(certificate: Key): readonly SignaturePacket[] {
  const kept: unknown = 'directSignatures' in certificate ? certificate.directSignatures : []
  return Array.isArray(kept) ? kept : []
}

function isSoft(reason: number | null): boolean {
  return reason !== null && softReasons.has(reason)
}

function expiryOf(created: Date, { keyNeverExpires, keyExpirationTime }: SignaturePacket): Date | null {
  return keyNeverExpires === false && keyExpirationTime
    ? new Date(created.getTime() + keyExpirationTime * 1000)
    : null
}

function newest(signatures: readonly SignaturePacket[]): SignaturePacket | null {
  return signatures.reduce<SignaturePacket | null>(
    (best, next) => (best && (best.created ?? 0) >= (next.created ?? 0) ? best : next),
    null,
  )
}

function earliest(dates: readonly (Date | null)[]): Date | null {
  return dates.reduce<Date | null>((first, next) => (next && (!first || next < first) ? next : first), null)
}
