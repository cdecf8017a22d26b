import * as openpgp from 'openpgp'

/** An armored key pair that was made a year before `expires`, and ends then. */
export async function keyThatExpires(
  expires: Date,
): Promise<{ readonly privateKey: string; readonly publicKey: string; readonly fingerprint: string }> {
  const yearMs = 365 * 24 * 60 * 60 * 1000
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: { name: 'Passing' },
    subkeys: [],
    date: new Date(expires.getTime() - yearMs),
    keyExpirationTime: yearMs / 1000,
    format: 'object',
  })
  return {
    privateKey: privateKey.armor(),
    publicKey: publicKey.armor(),
    fingerprint: publicKey.getFingerprint().toUpperCase(),
  }
}
