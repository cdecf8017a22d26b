import type { Config, PrivateKey } from 'openpgp'
import { ChantalError } from '../core/errors.ts'
import { loadOpenPgp, type OpenPgp, upperCaseHex } from './openpgp-library.ts'
import type { OpenPgpSigner } from './signer.ts'

export interface SigningKeyPair {
  /** Armored, without a passphrase. */
  readonly privateKey: string
  /** Armored. */
  readonly publicKey: string
  /** 40 upper-case hex digits. */
  readonly fingerprint: string
}

/**
 * @param settings `key` is an armored private key: RSA, or Ed25519 as gpg makes it.
 * @throws ChantalError `CONFIG_INVALID` for a key that cannot be read, unlocked, or accepted by clients
 */
export async function openOpenPgpSigner(settings: {
  key: string
  passphrase: string | null
}): Promise<OpenPgpSigner> {
  const openpgp = await loadOpenPgp()
  const key = await unlock(openpgp, await readKey(openpgp, settings.key), settings.passphrase)
  if (key.keyPacket.version !== 4) {
    throw invalidKey(`is of version ${key.keyPacket.version}, which most clients do not know`, useVersion4)
  }
  return new LibrarySigner(openpgp, key)
}

/**
 * RSA of 3,072 bits: the strongest that every client since el6 takes (rpm before 4.15 knows no Ed25519).
 * It does not expire: an expired key stops every client at once.
 * @throws ChantalError `USAGE_INVALID` for a name or address OpenPGP cannot hold
 */
export async function generateSigningKey(owner: {
  name: string
  email: string
  now: Date
}): Promise<SigningKeyPair> {
  const openpgp = await loadOpenPgp()
  const { name, email, now } = owner
  try {
    const { privateKey, publicKey } = await openpgp.generateKey({
      type: 'rsa',
      rsaBits: 3072,
      userIDs: { name, email },
      subkeys: [],
      date: now,
      format: 'object',
      config: signingConfig(openpgp),
    })
    return {
      privateKey: privateKey.armor(),
      publicKey: publicKey.armor(),
      fingerprint: upperCaseHex(publicKey.getFingerprint()),
    }
  } catch (cause) {
    throw new ChantalError(
      'USAGE_INVALID',
      `no key can be made for ${JSON.stringify(`${name} <${email}>`)}`,
      {
        hint: 'Give a plain name and a valid address.',
        cause,
      },
    )
  }
}

class LibrarySigner implements OpenPgpSigner {
  readonly kind = 'openpgp'
  readonly fingerprint: string
  readonly publicKey: string
  readonly #openpgp: OpenPgp
  readonly #key: PrivateKey
  readonly #config: Config

  constructor(openpgp: OpenPgp, key: PrivateKey) {
    this.#openpgp = openpgp
    this.#key = key
    this.#config = signingConfig(openpgp)
    this.fingerprint = upperCaseHex(key.getFingerprint())
    this.publicKey = key.toPublic().armor()
  }

  async detached(data: Uint8Array, now: Date): Promise<string> {
    const signingKeyIDs = await this.#signingKeyId(now)
    return await orSigningFailed(async () =>
      this.#openpgp.sign({
        message: await this.#openpgp.createMessage({ binary: data }),
        signingKeys: this.#key,
        signingKeyIDs,
        detached: true,
        date: now,
        config: this.#config,
      }),
    )
  }

  async cleartext(text: string, now: Date): Promise<string> {
    const signingKeyIDs = await this.#signingKeyId(now)
    const message = await orSigningFailed(async () =>
      this.#openpgp.sign({
        // The line end before the signature is not signed. Without this, text that ends in one would grow an empty line.
        message: await this.#openpgp.createCleartextMessage({ text: text.replace(/\n$/, '') }),
        signingKeys: this.#key,
        signingKeyIDs,
        date: now,
        config: this.#config,
      }),
    )
    // The library writes the line ends that are hashed. Written as `\n` the signature holds as well, and apt reads clean fields.
    return message.replaceAll('\r\n', '\n')
  }

  /** @throws ChantalError `SIGNING_FAILED` for a key that is expired or revoked at `now`, or that may not sign */
  async #signingKeyId(now: Date) {
    const { keyPacket } = await orSigningFailed(() =>
      this.#key.getSigningKey(undefined, now, undefined, this.#config),
    )
    const { algorithm, curve } = keyPacket.getAlgorithmInfo()
    if (algorithm === 'ed25519' || algorithm === 'ed448') {
      throw new ChantalError('SIGNING_FAILED', `clients do not know keys of the kind ${algorithm}`, {
        hint: useVersion4,
      })
    }
    if (!keyPacket.isDecrypted()) {
      throw new ChantalError(
        'SIGNING_FAILED',
        `the secret of key ${upperCaseHex(keyPacket.getKeyID().toHex())} is missing`,
        {
          hint: 'Export the key that signs together with its secret: `gpg --export-secret-keys --armor`.',
          details: { algorithm, curve: curve ?? null },
        },
      )
    }
    return keyPacket.getKeyID()
  }
}

const useVersion4 = 'Use an RSA key, or an Ed25519 key made by gpg; `chantal init` makes one.'

/** Equal input gives equal bytes: no random notation in the signature. */
function signingConfig(openpgp: OpenPgp): Config {
  return {
    ...openpgp.config,
    preferredHashAlgorithm: openpgp.enums.hash.sha512,
    nonDeterministicSignaturesViaNotation: false,
    v6Keys: false,
    aeadProtect: false,
  }
}

async function orSigningFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ChantalError('SIGNING_FAILED', `signing failed: ${reason}`, {
      hint: signingHint(reason),
      cause,
    })
  }
}

function signingHint(reason: string): string {
  if (/expired/i.test(reason))
    return 'Prolong the key, or set another in signing.key_file, and give clients its public key.'
  if (/revoked/i.test(reason)) return 'Set another key in signing.key_file, and give clients its public key.'
  if (/future/i.test(reason)) return 'The key is newer than now: compare this machine’s clock.'
  return 'Use a key that may sign: `gpg --list-secret-keys` shows an S beside it.'
}

async function readKey(openpgp: OpenPgp, armoredKey: string): Promise<PrivateKey> {
  if (armoredKey.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----'))
    throw invalidKey('is a public key', exportHint)
  try {
    return await openpgp.readPrivateKey({ armoredKey })
  } catch (cause) {
    throw invalidKey('cannot be read as an armored OpenPGP private key', exportHint, cause)
  }
}

const exportHint = 'Export it with `gpg --export-secret-keys --armor`.'

async function unlock(openpgp: OpenPgp, key: PrivateKey, passphrase: string | null): Promise<PrivateKey> {
  const isLocked = key
    .getKeys()
    .some(({ keyPacket }) => 'isEncrypted' in keyPacket && keyPacket.isEncrypted === true)
  if (!isLocked) return key
  if (passphrase === null) {
    throw invalidKey('is locked with a passphrase', 'Set signing.passphrase or signing.passphrase_file.')
  }
  try {
    return await openpgp.decryptKey({ privateKey: key, passphrase })
  } catch (cause) {
    throw invalidKey(
      'does not open with the passphrase given',
      'Correct signing.passphrase or its file.',
      cause,
    )
  }
}

function invalidKey(problem: string, hint: string, cause?: unknown): ChantalError {
  return new ChantalError('CONFIG_INVALID', `the signing key ${problem}`, { hint, cause })
}
