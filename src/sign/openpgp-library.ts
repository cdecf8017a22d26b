import type { Config } from 'openpgp'

export type OpenPgp = typeof import('openpgp')

/** The library costs more start-up time than the rest of a short command, so only what signs or verifies waits for it. */
export function loadOpenPgp(): Promise<OpenPgp> {
  return import('openpgp')
}

/**
 * The library's own policy otherwise: no MD5, no SHA-1 over messages, no DSA or ElGamal, RSA of 2,047 bits or more.
 * One change: many keys reach us with only their newest self-signature (`export-minimal`, a prolonged key), and then
 * signatures from before it are checked against the key as it is now, as gpg does.
 */
export function verificationConfig(openpgp: OpenPgp): Config {
  return { ...openpgp.config, allowInsecureVerificationWithReformattedKeys: true }
}

/** Upper-case hex, as gpg prints fingerprints and key ids. */
export function upperCaseHex(hex: string): string {
  return hex.toUpperCase()
}
