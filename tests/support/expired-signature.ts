import * as openpgp from 'openpgp'

const day = 24 * 60 * 60 * 1000

/**
 * A good signature of `data`, made while its key was valid.
 * @returns the armored public key, which expired yesterday, and the armored signature
 */
export async function expiredSignature(
  data: Uint8Array,
): Promise<{ readonly key: string; readonly asc: string }> {
  const date = new Date(Date.now() - 10 * day)
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: { name: 'Expired' },
    subkeys: [],
    date,
    keyExpirationTime: (9 * day) / 1000,
    format: 'object',
  })
  const asc = await openpgp.sign({
    message: await openpgp.createMessage({ binary: data }),
    signingKeys: privateKey,
    detached: true,
    date,
  })
  return { key: publicKey.armor(), asc }
}
