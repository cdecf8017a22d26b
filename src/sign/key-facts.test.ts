import * as openpgp from 'openpgp'
import { describe, expect, it } from 'vitest'
import { keyThatExpires } from '../../tests/support/keys-with-an-end.ts'
import { generateSigningKey, readKeyFacts, readSigningKeyFacts } from './openpgp.ts'

const now = () => new Date('2026-06-01T00:00:00Z')
const factsOf = async (armored: string) => readKeyFacts({ keys: [Buffer.from(armored)], now })

describe('what is known of a key', () => {
  it('is when it ends, also where it has ended', async () => {
    const end = new Date('2026-05-01T00:00:00Z')
    const { publicKey, privateKey, fingerprint } = await keyThatExpires(end)

    expect(await factsOf(publicKey)).toEqual([
      { fingerprint, userId: 'Passing', expiresAt: end, refusal: null },
    ])
    expect(await readSigningKeyFacts(privateKey)).toMatchObject({ fingerprint, expiresAt: end })
  })

  it('is that it never does', async () => {
    const { publicKey } = await generateSigningKey({ name: 'Us', email: 'us@example.org', now: now() })

    expect(await factsOf(publicKey)).toMatchObject([{ expiresAt: null, refusal: null }])
  })

  it('is the end of the last of its keys that may sign', async () => {
    const date = new Date('2026-01-01T00:00:00Z')
    const { publicKey } = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: { name: 'Several' },
      date,
      keyExpirationTime: 20 * 86_400,
      subkeys: [{ sign: true, keyExpirationTime: 10 * 86_400 }],
      format: 'armored',
    })

    expect(await factsOf(publicKey)).toMatchObject([{ expiresAt: new Date('2026-01-21T00:00:00Z') }])
  })

  it('is that it is revoked', async () => {
    const { publicKey, revocationCertificate } = await openpgp.generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: { name: 'Revoked' },
      date: new Date('2026-01-01T00:00:00Z'),
      subkeys: [],
      format: 'object',
    })
    const { publicKey: revoked } = await openpgp.revokeKey({
      key: publicKey,
      revocationCertificate,
      format: 'armored',
    })

    const [facts] = await factsOf(revoked)

    expect(facts?.refusal).toContain('revoked')
  })

  it('is nothing where it is no private key', async () => {
    await expect(readSigningKeyFacts('no key')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
