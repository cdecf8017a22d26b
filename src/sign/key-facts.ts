import type { Key } from 'openpgp'
import { ChantalError } from '../core/errors.ts'
import { loadOpenPgp, type OpenPgp, upperCaseHex } from './openpgp-library.ts'
import { readPackageKeys } from './package-keys.ts'
import { readTrustedKeys, type TrustedKeys } from './trusted-keys.ts'

/** Until when a key is of use. */
export interface KeyFacts {
  /** 40 or 64 upper-case hex digits, of the primary key. */
  readonly fingerprint: string
  readonly userId: string | null
  /** When the last of its keys that may sign stops; `null` where that is never. */
  readonly expiresAt: Date | null
  /** Why it is of no use at all, whenever: revoked, not for signing, of an unknown kind. */
  readonly refusal: string | null
}

/** Of the keys that count, each once. @throws ChantalError `CONFIG_INVALID` as `openOpenPgpVerifier` does */
export async function readKeyFacts(trusted: TrustedKeys): Promise<readonly KeyFacts[]> {
  const openpgp = await loadOpenPgp()
  const keys = await readTrustedKeys(openpgp, trusted)
  return Promise.all(keys.map((key) => factsOf(openpgp, key)))
}

/** Of an armored private key, which need not be unlocked. @throws ChantalError `CONFIG_INVALID` */
export async function readSigningKeyFacts(armoredKey: string): Promise<KeyFacts> {
  const openpgp = await loadOpenPgp()
  try {
    return await factsOf(openpgp, (await openpgp.readPrivateKey({ armoredKey })).toPublic())
  } catch (cause) {
    throw new ChantalError(
      'CONFIG_INVALID',
      'the signing key cannot be read as an armored OpenPGP private key',
      {
        hint: 'Export it with `gpg --export-secret-keys --armor`, or make one with `chantal init`.',
        cause,
      },
    )
  }
}

async function factsOf(openpgp: OpenPgp, key: Key): Promise<KeyFacts> {
  const all = await readPackageKeys(openpgp, key)
  const usable = all.filter(({ refusal, revokedFrom }) => refusal === null && revokedFrom === null)
  const ends = usable.map(({ expires }) => expires?.getTime() ?? Number.POSITIVE_INFINITY)
  const last = Math.max(...ends)
  const [primary] = all
  const facts = {
    fingerprint: upperCaseHex(key.getFingerprint()),
    userId: key.getUserIDs()[0] ?? null,
  }
  if (usable.length === 0) {
    const revoked = primary?.revokedFrom ? 'the key is revoked' : null
    return { ...facts, expiresAt: null, refusal: primary?.refusal ?? revoked ?? 'no key of it may sign' }
  }
  return { ...facts, expiresAt: Number.isFinite(last) ? new Date(last) : null, refusal: null }
}
