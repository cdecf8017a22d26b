import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ChantalError, hasSystemCode } from '../../core/errors.ts'
import type { SigningKeyPair } from '../../sign/openpgp-signer.ts'
import { configurationText } from './configuration-text.ts'

/** Makes a key to sign with, without a passphrase. @throws ChantalError `USAGE_INVALID` for a name or address that no key can have */
export type KeyMaker = (owner: { readonly name: string; readonly email: string }) => Promise<SigningKeyPair>

export interface InitInput {
  /** Absolute. The key is put beside it. */
  readonly configuration: string
  readonly basePath: string
  /** Shown with the key. */
  readonly owner: { readonly name: string; readonly email: string }
}

/** The shape of `init --json`. */
export interface Initialized {
  readonly files: readonly {
    readonly path: string
    readonly holds: 'configuration' | 'signing_key' | 'public_key'
    /** `kept`: it was there. */
    readonly status: 'written' | 'kept'
  }[]
  /** Of the key that was made; `null` where there was one. */
  readonly fingerprint: string | null
}

const keyFile = 'signing-key.asc'
const publicKeyFile = 'signing-key.pub.asc'

/**
 * Writes a configuration and a signing key for it where there are none. What is there stays as it is.
 * @throws ChantalError `ALREADY_EXISTS` where a public key is there without its private one, `NOT_WRITABLE`, `USAGE_INVALID`
 */
export async function initialize(makeKey: KeyMaker, input: InitInput): Promise<Initialized> {
  const { configuration, basePath, owner } = input
  const folder = path.dirname(configuration)
  const [privateKey, publicKey] = [path.join(folder, keyFile), path.join(folder, publicKeyFile)]
  const hasKey = await isThere(privateKey)
  if (!hasKey && (await isThere(publicKey))) {
    throw new ChantalError('ALREADY_EXISTS', `${publicKey} is there, and ${keyFile} beside it is not`, {
      hint: 'Put its private key there, or move it away: another key would be made.',
      details: { path: publicKey },
    })
  }
  try {
    await mkdir(folder, { recursive: true })
    const key = hasKey ? null : await makeKey(owner)
    if (key) {
      await writeFile(privateKey, key.privateKey, { flag: 'wx', mode: 0o600, flush: true })
      await writeFile(publicKey, key.publicKey, { flag: 'wx', mode: 0o644, flush: true })
    }
    const isNew = await writeNew(configuration, configurationText({ basePath, keyFile }))
    return {
      files: [
        { path: configuration, holds: 'configuration', status: isNew ? 'written' : 'kept' },
        { path: privateKey, holds: 'signing_key', status: key ? 'written' : 'kept' },
        ...(key ? [{ path: publicKey, holds: 'public_key', status: 'written' } as const] : []),
      ],
      fingerprint: key?.fingerprint ?? null,
    }
  } catch (error) {
    if (!hasSystemCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST')) throw error
    throw new ChantalError('NOT_WRITABLE', `cannot write ${folder}`, {
      cause: error,
      hint: 'Name another folder, or run as a user who may write there.',
      details: { path: folder },
    })
  }
}

/** @returns whether it was not there */
async function writeNew(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o644, flush: true })
    return true
  } catch (error) {
    if (hasSystemCode(error, 'EEXIST')) return false
    throw error
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await readFile(file)
    return true
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
