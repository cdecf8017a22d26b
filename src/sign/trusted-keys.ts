import type { Key } from 'openpgp'
import { ChantalError } from '../core/errors.ts'
import { type OpenPgp, upperCaseHex } from './openpgp-library.ts'
import { readKeyBlocks } from './openpgp-packets.ts'

export interface TrustedKeys {
  /** Armored or binary; each may hold several keys. */
  readonly keys: readonly Uint8Array[]
  /** Primary keys that count, in upper-case hex. None: all keys count. */
  readonly fingerprints?: readonly string[]
  readonly now: () => Date
}

/**
 * The keys that count, each once.
 * @throws ChantalError `CONFIG_INVALID` for keys that cannot be read, or fingerprints of none of them
 */
export async function readTrustedKeys(openpgp: OpenPgp, trusted: TrustedKeys): Promise<readonly Key[]> {
  const all = new Map<string, Key>()
  for (const [index, file] of trusted.keys.entries()) {
    for (const key of await readPublicKeys(openpgp, file, index)) {
      const fingerprint = upperCaseHex(key.getFingerprint())
      const known = all.get(fingerprint)
      // Two copies of one key may each know a revocation or a later expiry that the other lacks.
      all.set(fingerprint, known ? await known.update(key) : key)
    }
  }
  return chooseKeys(all, trusted.fingerprints ?? [])
}

async function readPublicKeys(openpgp: OpenPgp, file: Uint8Array, index: number): Promise<readonly Key[]> {
  const where = `key ${index + 1} of verify.keys`
  const hint = 'Give a public key as `gpg --export --armor` writes it.'
  let keys: readonly Key[]
  try {
    const blocks = readKeyBlocks(file)
    keys = (await Promise.all(blocks.map((binaryKeys) => openpgp.readKeys({ binaryKeys })))).flat()
  } catch (cause) {
    throw new ChantalError('CONFIG_INVALID', `${where} cannot be read as an OpenPGP key`, { hint, cause })
  }
  if (keys.length === 0)
    throw new ChantalError('CONFIG_INVALID', `${where} holds no OpenPGP public key`, { hint })
  if (keys.some((key) => key.isPrivate()))
    throw new ChantalError('CONFIG_INVALID', `${where} is a private key`, { hint })
  return keys
}

function chooseKeys(keys: ReadonlyMap<string, Key>, fingerprints: readonly string[]): readonly Key[] {
  if (keys.size === 0) {
    throw new ChantalError('CONFIG_INVALID', 'verify.keys is empty', {
      hint: 'Name the key file of the upstream.',
    })
  }
  if (fingerprints.length === 0) return [...keys.values()]
  return fingerprints.map((fingerprint) => {
    const key = keys.get(upperCaseHex(fingerprint))
    if (key) return key
    throw new ChantalError(
      'CONFIG_INVALID',
      `verify.fingerprints names ${fingerprint}, which is in none of verify.keys`,
      {
        hint: 'Give fingerprints of primary keys, without spaces, or add the key.',
        details: { fingerprint, known: [...keys.keys()] },
      },
    )
  })
}
