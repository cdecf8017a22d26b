import type { Config, Key, KeyID } from 'openpgp'
import { splitCleartextMessage } from '../codec/cleartext-message.ts'
import { ChantalError } from '../core/errors.ts'
import { loadOpenPgp, type OpenPgp, upperCaseHex, verificationConfig } from './openpgp-library.ts'
import { type Packet, readSignaturePackets } from './openpgp-packets.ts'
import { openPublicKey } from './public-key.ts'
import { digestNames, parseSignaturePacket, type SignaturePacket } from './signature-packet.ts'
import { readTrustedKeys, type TrustedKeys } from './trusted-keys.ts'
import type { SignedBy, Verifier } from './verifier.ts'

/** Clocks differ; a signature made less than this ahead of ours is taken as made now. */
export const clockToleranceMs = 5 * 60_000

/**
 * Fails closed where clients would: a signature counts only while its key is valid, both when it was made and now, so
 * one by a key that has expired or was revoked since is refused, although its digest fits (gpg says "good signature",
 * librepo and apt refuse it all the same). SHA-1 and MD5 digests, DSA keys and RSA keys below 2,047 bits never count.
 * @throws ChantalError `CONFIG_INVALID` for keys that cannot be read, or fingerprints of none of them
 */
export async function openOpenPgpVerifier(trusted: TrustedKeys): Promise<Verifier> {
  const openpgp = await loadOpenPgp()
  const keys = await readTrustedKeys(openpgp, trusted)
  return new OpenPgpVerifier(openpgp, keys, trusted.now)
}

type Verdict =
  | { readonly good: true; readonly by: SignedBy }
  | { readonly good: false; readonly keyId: string | null; readonly reason: string; readonly hint: string }

class OpenPgpVerifier implements Verifier {
  readonly fingerprints: readonly string[]
  readonly #openpgp: OpenPgp
  readonly #config: Config
  readonly #keysById = new Map<string, Key[]>()
  readonly #now: () => Date

  constructor(openpgp: OpenPgp, keys: readonly Key[], now: () => Date) {
    this.#openpgp = openpgp
    this.#config = verificationConfig(openpgp)
    this.#now = now
    this.fingerprints = keys.map((key) => upperCaseHex(key.getFingerprint()))
    for (const key of keys) {
      for (const id of new Set(key.getKeyIDs().map((keyId) => upperCaseHex(keyId.toHex())))) {
        this.#keysById.set(id, [...(this.#keysById.get(id) ?? []), key])
      }
    }
  }

  async detached(data: Uint8Array, signature: Uint8Array): Promise<SignedBy> {
    return await this.#findGood(data, readSignaturePackets(signature))
  }

  async cleartext(message: Uint8Array): Promise<{ readonly text: string; readonly by: SignedBy }> {
    const { text, signed, signature } = splitCleartextMessage(message)
    return { text, by: await this.#findGood(signed, readSignaturePackets(Buffer.from(signature))) }
  }

  async #findGood(data: Uint8Array, packets: readonly Packet[]): Promise<SignedBy> {
    const refusals: Extract<Verdict, { good: false }>[] = []
    for (const packet of packets) {
      const verdict = await this.#judge(data, packet)
      if (verdict.good) return verdict.by
      refusals.push(verdict)
    }
    // What a trusted key signed and is refused says more than the signatures of strangers.
    refusals.sort((a, b) => Number(a.reason === unknownKey) - Number(b.reason === unknownKey))
    const reasons = refusals.map(({ keyId, reason }) => (keyId === null ? reason : `key ${keyId}: ${reason}`))
    throw new ChantalError(
      'SIGNATURE_INVALID',
      `no valid signature by a trusted key (${reasons.join('; ')})`,
      {
        hint: refusals[0]?.hint ?? badSignatureHint,
        details: { reasons, trusted: this.fingerprints },
      },
    )
  }

  async #judge(data: Uint8Array, packet: Packet): Promise<Verdict> {
    const v3 = readVersion3(packet.body)
    if (v3) {
      return await this.#judgeBy(v3.keyId, v3.created, (key, at) => this.#checkVersion3(data, v3, key, at))
    }
    const signature = await this.#readSignature(packet)
    const [inner] = signature?.packets ?? []
    if (!signature || !(inner instanceof this.#openpgp.SignaturePacket) || inner.created === null) {
      return refusal(null, 'not a signature this program can read')
    }
    return await this.#judgeBy(upperCaseHex(inner.issuerKeyID.toHex()), inner.created, async (key, at) => {
      const { signatures } = await this.#openpgp.verify({
        message: await this.#openpgp.createMessage({ binary: data }),
        signature,
        verificationKeys: key,
        format: 'binary',
        date: at,
        config: this.#config,
      })
      const [result] = signatures
      if (!result) throw new Error('Not a signature of a document')
      await result.verified
      await key.getSigningKey(inner.issuerKeyID, at, undefined, this.#config)
    })
  }

  /** @param check throws where the signature is not good or the key may not sign, now or when it did */
  async #judgeBy(
    keyId: string,
    created: Date,
    check: (key: Key, at: Date) => Promise<void>,
  ): Promise<Verdict> {
    const keys = this.#keysById.get(keyId)
    if (!keys) return refusal(keyId, unknownKey)
    const now = this.#now()
    if (created.getTime() > now.getTime() + clockToleranceMs) {
      return refusal(keyId, `made in the future, at ${created.toISOString()}`)
    }
    const at = created > now ? created : now
    let refused: Verdict | undefined
    for (const key of keys) {
      try {
        await check(key, at)
        return {
          good: true,
          by: { fingerprint: upperCaseHex(key.getFingerprint()), userId: userIdOf(key), signedAt: created },
        }
      } catch (error) {
        refused ??= refusal(keyId, error instanceof Error ? error.message : String(error))
      }
    }
    return refused ?? refusal(keyId, unknownKey)
  }

  async #checkVersion3(data: Uint8Array, signature: Version3, key: Key, at: Date): Promise<void> {
    const keyId = key.getKeyIDs().find((id) => upperCaseHex(id.toHex()) === signature.keyId)
    const packet = keyId && key.getKeys(keyId)[0]?.keyPacket
    if (!packet) throw new Error('Signature verification failed')
    if (packet.created > signature.created) throw new Error('Key is newer than the signature')
    const { type, hashAlgorithm, trailer, value } = signature.packet
    const digest = digestNames[hashAlgorithm] ?? 'md5'
    if (digest === 'md5' || digest === 'sha1') throw new Error('Insecure message hash algorithm')
    const publicKey = openPublicKey(packet.algorithm, packet.publicParams, packet.getAlgorithmInfo().curve)
    const check = publicKey?.check(digest, value)
    check?.update(type === 1 ? withNetworkLineEnds(data) : data)
    check?.update(trailer)
    if (!check?.finish()) throw new Error('Signature verification failed')
    await this.#mustHaveBeenValid(key, keyId, signature.created, at)
    await key.getSigningKey(keyId, at, undefined, this.#config)
  }

  /** The library's own rule for newer signatures: a self-signature made after `signedAt` says nothing about that time. */
  async #mustHaveBeenValid(key: Key, keyId: KeyID, signedAt: Date, at: Date): Promise<void> {
    try {
      await key.getSigningKey(keyId, signedAt, undefined, this.#config)
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('creation time is in the future'))) throw error
      await key.getSigningKey(keyId, at, undefined, this.#config)
    }
  }

  async #readSignature(packet: Packet) {
    try {
      return await this.#openpgp.readSignature({ binarySignature: packet.bytes })
    } catch {
      // One packet that cannot be read does not speak against its neighbours.
      return null
    }
  }
}

interface Version3 {
  readonly packet: SignaturePacket
  readonly created: Date
  readonly keyId: string
}

/** Of a document: the library drops signatures of this version. `null` for all that is left to it. */
function readVersion3(body: Uint8Array): Version3 | null {
  if (body[0] !== 3) return null
  try {
    const packet = parseSignaturePacket(body)
    if (!packet?.created || packet.issuer.keyId === null || packet.type > 1) return null
    return { packet, created: packet.created, keyId: packet.issuer.keyId }
  } catch {
    return null
  }
}

function withNetworkLineEnds(data: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(data).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

const unknownKey = 'not a trusted key'
const badSignatureHint =
  'Try again later: upstream may be between two updates. If it stays so, do not trust the data.'

/** What to do, by what the library says. The first that fits. */
const explanations: readonly (readonly [said: RegExp, reason: string, hint: string])[] = [
  [/^not a trusted key$/, unknownKey, 'If you trust that key, add it to verify.keys.'],
  [/revoked/i, 'the key is revoked', 'Get the key that replaces it from upstream.'],
  [
    /(primary key|subkey) is expired/i,
    'the key has expired',
    'Get the renewed key from upstream and replace it in verify.keys.',
  ],
  [/signature is expired/i, 'the signature has expired', 'Upstream must sign again.'],
  [
    /insecure message hash|insecure hash/i,
    'its digest is too weak (SHA-1 or MD5)',
    'Upstream must sign with SHA-256 or better.',
  ],
  // What the library says of EdDSA, for which it looks at the digest's length.
  [/hash algorithm too weak/i, 'its digest is too weak', 'Upstream must sign with SHA-256 or better.'],
  [/too weak|is disabled/i, 'the key is too weak', 'Upstream must sign with a stronger key.'],
  [/^made in the future/i, '', 'Compare the clocks of this machine and of upstream.'],
  [/newer than the signature/i, 'the key is newer than the signature', badSignatureHint],
  [
    /digest did not match|verification failed/i,
    'bad signature: the data or the signature was changed',
    badSignatureHint,
  ],
]

function refusal(keyId: string | null, said: string): Verdict {
  const found = explanations.find(([pattern]) => pattern.test(said))
  return { good: false, keyId, reason: found?.[1] || said, hint: found?.[2] ?? badSignatureHint }
}

function userIdOf(key: Key): string | null {
  return key.getUserIDs()[0] ?? null
}
