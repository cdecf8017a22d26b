import {
  createMessage,
  encryptKey,
  enums,
  generateKey,
  readKey,
  readPrivateKey,
  revokeKey,
  sign,
} from 'openpgp'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../core/errors.ts'
import { generateSigningKey, openOpenPgpSigner, openOpenPgpVerifier } from './openpgp.ts'

const now = new Date('2026-05-04T03:02:01Z')
const day = 86_400_000
const data = Buffer.from('<repomd/>\n')
const pair = await generateSigningKey({
  name: 'Mirror',
  email: 'mirror@example.org',
  now: new Date(now.getTime() - day),
})
const signer = await openOpenPgpSigner({ key: pair.privateKey, passphrase: null })
const stranger = await makeKey()

/** A small key of a lifetime of its own. @returns armored keys */
function makeKey(lifetime: { seconds?: number; date?: Date; passphrase?: string } = {}) {
  return generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: { name: 'Small', email: 'small@example.org' },
    date: lifetime.date ?? new Date(now.getTime() - 10 * day),
    ...(lifetime.seconds === undefined ? {} : { keyExpirationTime: lifetime.seconds }),
    ...(lifetime.passphrase === undefined ? {} : { passphrase: lifetime.passphrase }),
  })
}

function verifierOf(...keys: readonly string[]) {
  return openOpenPgpVerifier({ keys: keys.map((key) => Buffer.from(key)), now: () => now })
}

async function detachedBy(privateKey: string, date: Date, bytes: Uint8Array = data): Promise<string> {
  const signature: unknown = await sign({
    message: await createMessage({ binary: bytes }),
    signingKeys: await readPrivateKey({ armoredKey: privateKey }),
    detached: true,
    date,
  })
  return String(signature)
}

async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!isChantalError(error)) throw new Error('expected an error with a code', { cause: error })
  return { code: error.code, text: `${error.message} | ${error.hint}` }
}

describe('detached signatures', () => {
  it('come back with who signed, and when', async () => {
    const verifier = await verifierOf(pair.publicKey)

    const by = await verifier.detached(data, Buffer.from(await signer.detached(data, now)))

    expect(by).toEqual({
      fingerprint: pair.fingerprint,
      userId: 'Mirror <mirror@example.org>',
      signedAt: now,
    })
    expect(verifier.fingerprints).toEqual([pair.fingerprint])
  })

  it('are equal for equal input', async () => {
    expect(await signer.detached(data, now)).toBe(await signer.detached(data, now))
  })

  it('are refused when the data changed', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const signature = Buffer.from(await signer.detached(data, now))

    const failure = await failureOf(verifier.detached(Buffer.from('<repomd />\n'), signature))

    expect(failure).toMatchObject({
      code: 'SIGNATURE_INVALID',
      text: expect.stringContaining('bad signature'),
    })
  })

  it.each([
    [
      'in binary, one after another',
      (own: string, other: string) => Buffer.concat([binary(other), binary(own)]),
    ],
    ['in several armored blocks', (own: string, other: string) => Buffer.from(`${other}\n${own}`)],
    ['with carriage returns', (own: string) => Buffer.from(own.replaceAll('\n', '\r\n'))],
  ])('are found %s', async (_, join) => {
    const verifier = await verifierOf(pair.publicKey)
    const signature = join(await signer.detached(data, now), await detachedBy(stranger.privateKey, now))

    const by = await verifier.detached(data, signature)

    expect(by.fingerprint).toBe(pair.fingerprint)
  })

  it('by a key that is not trusted are refused, naming the key', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const id = (await readKey({ armoredKey: stranger.publicKey })).getKeyID().toHex().toUpperCase()

    const failure = await failureOf(
      verifier.detached(data, Buffer.from(await detachedBy(stranger.privateKey, now))),
    )

    expect(failure.code).toBe('SIGNATURE_INVALID')
    expect(failure.text).toContain(`key ${id}: not a trusted key`)
    expect(failure.text).toContain('verify.keys')
  })

  it.each([
    ['an empty file', '', 'SIGNATURE_MISSING'],
    ['blank lines', ' \r\n\n', 'SIGNATURE_MISSING'],
    ['an error page', '<html>404</html>', 'SIGNATURE_INVALID'],
    ['armor without an end', '-----BEGIN PGP SIGNATURE-----\n\niQ', 'SIGNATURE_INVALID'],
    ['a public key', Buffer.from(binary(pair.publicKey)), 'SIGNATURE_INVALID'],
  ])('are not read from %s', async (_, file, code) => {
    const verifier = await verifierOf(pair.publicKey)

    const failure = await failureOf(verifier.detached(data, Buffer.from(file)))

    expect(failure.code).toBe(code)
  })

  it('that were cut short are refused, whatever the length', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const whole = binary(await signer.detached(data, now))

    for (let length = 1; length < whole.length; length += 7) {
      const failure = await failureOf(verifier.detached(data, whole.subarray(0, length)))
      expect(failure.code).toBe('SIGNATURE_INVALID')
    }
  })

  it('by a subkey count for its primary key', async () => {
    const { privateKey, publicKey } = await generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: { name: 'Two' },
      subkeys: [{ sign: true }],
      date: new Date(now.getTime() - day),
    })
    const key = await readKey({ armoredKey: publicKey })
    const verifier = await verifierOf(publicKey)

    const by = await verifier.detached(data, Buffer.from(await detachedBy(privateKey, now)))

    expect(by.fingerprint).toBe(key.getFingerprint().toUpperCase())
  })
})

describe('the time of a signature', () => {
  it('may be a little ahead of the clock', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const soon = new Date(now.getTime() + 60_000)

    const by = await verifier.detached(data, Buffer.from(await signer.detached(data, soon)))

    expect(by.signedAt).toEqual(soon)
  })

  it('may not be in the future', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const tomorrow = new Date(now.getTime() + day)

    const failure = await failureOf(
      verifier.detached(data, Buffer.from(await signer.detached(data, tomorrow))),
    )

    expect(failure).toMatchObject({
      code: 'SIGNATURE_INVALID',
      text: expect.stringContaining('made in the future'),
    })
  })

  it('does not save a signature whose key has expired since', async () => {
    const expired = await makeKey({ seconds: 5 * 86_400 })
    const verifier = await verifierOf(expired.publicKey)
    const signature = await detachedBy(expired.privateKey, new Date(now.getTime() - 8 * day))

    const failure = await failureOf(verifier.detached(data, Buffer.from(signature)))

    expect(failure).toMatchObject({
      code: 'SIGNATURE_INVALID',
      text: expect.stringContaining('the key has expired'),
    })
  })

  it('does not save a signature whose key was revoked since', async () => {
    const key = await readPrivateKey({ armoredKey: stranger.privateKey })
    const revoked = await revokeKey({ key, date: new Date(now.getTime() - day) })
    const verifier = await verifierOf(stranger.publicKey, revoked.publicKey)
    const signature = await detachedBy(stranger.privateKey, new Date(now.getTime() - 3 * day))

    const failure = await failureOf(verifier.detached(data, Buffer.from(signature)))

    expect(failure).toMatchObject({
      code: 'SIGNATURE_INVALID',
      text: expect.stringContaining('the key is revoked'),
    })
  })
})

describe('cleartext messages', () => {
  const beginSignature = '-----BEGIN PGP SIGNATURE-----'
  const text = 'Origin: Example\n- Dash\n-----BEGIN\nSHA256:\n 0 0 Packages'

  it('give back the text that was signed', async () => {
    const verifier = await verifierOf(pair.publicKey)

    const result = await verifier.cleartext(Buffer.from(await signer.cleartext(`${text}\n`, now)))

    expect(result.text).toBe(text)
    expect(result.by.fingerprint).toBe(pair.fingerprint)
  })

  it.each([
    ['text before', (message: string) => `Origin: Evil\n${message}`, 'SIGNATURE_INVALID'],
    ['text after', (message: string) => `${message}Origin: Evil\n`, 'SIGNATURE_INVALID'],
    ['an empty line before', (message: string) => `\n${message}`, 'SIGNATURE_INVALID'],
    ['an empty line after', (message: string) => `${message}\n`, 'SIGNATURE_INVALID'],
    ['a second message', (message: string) => `${message}${message}`, 'SIGNATURE_INVALID'],
    [
      'text between two signatures',
      (m: string) => `${m}Origin: Evil\n${m.slice(m.indexOf('-----BEGIN PGP SIGNATURE'))}`,
      'SIGNATURE_INVALID',
    ],
    ['a second signature without an end', (m: string) => `${m}${beginSignature}\n`, 'SIGNATURE_INVALID'],
    ['a changed text', (message: string) => message.replace('Example', 'Evil'), 'SIGNATURE_INVALID'],
    [
      'a header that readers differ on',
      (m: string) => m.replace(/Hash:.*/, '$&\nNotDashEscaped: 1'),
      'SIGNATURE_INVALID',
    ],
    [
      'text hidden in the headers',
      (m: string) => m.replace(/Hash:.*/, '$&\nOrigin: Evil'),
      'SIGNATURE_INVALID',
    ],
    ['no end', (message: string) => message.slice(0, -40), 'SIGNATURE_INVALID'],
    ['no signature at all', () => 'Origin: Example\n', 'SIGNATURE_MISSING'],
    ['nothing in it', () => '', 'SIGNATURE_MISSING'],
  ])('with %s are refused', async (_, change, code) => {
    const verifier = await verifierOf(pair.publicKey)
    const message = change(await signer.cleartext(text, now))

    const failure = await failureOf(verifier.cleartext(Buffer.from(message)))

    expect(failure.code).toBe(code)
  })

  it('are read with the line ends of any system', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const message = await signer.cleartext(text, now)

    const result = await verifier.cleartext(Buffer.from(message.replaceAll('\n', '\r\n')))

    expect(result.text).toBe(text)
  })

  it('have their signatures in one block or several, in any order', async () => {
    const verifier = await verifierOf(pair.publicKey)
    const other = (await detachedBy(stranger.privateKey, now, Buffer.from('a'))).trimEnd()
    const [before = '', own = ''] = (await signer.cleartext('a', now)).split(beginSignature)
    const block = `${beginSignature}${own.trimEnd()}`

    for (const blocks of [
      [other, block],
      [block, other],
    ]) {
      const result = await verifier.cleartext(Buffer.from(`${before}${blocks.join('\n')}\n`))
      expect(result).toMatchObject({ text: 'a', by: { fingerprint: pair.fingerprint } })
    }
  })

  it('are signed as the bytes that they are, also where those are no UTF-8', async () => {
    const verifier = await verifierOf(stranger.publicKey)
    const bytes = Buffer.from('Label: D\u00e9p\u00f4t', 'latin1')
    const start = Buffer.from('-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n')
    const signature = Buffer.from(`\n${await detachedBy(stranger.privateKey, now, bytes)}`)

    const result = await verifier.cleartext(Buffer.concat([start, bytes, signature]))

    expect(result.text).toBe('Label: D\ufffdp\ufffdt')
  })
})

describe('trusted keys', () => {
  it('are chosen by fingerprint from files that hold several', async () => {
    const keys = [Buffer.from(`${stranger.publicKey}\n${pair.publicKey}`)]
    const verifier = await openOpenPgpVerifier({ keys, fingerprints: [pair.fingerprint], now: () => now })

    const failure = await failureOf(
      verifier.detached(data, Buffer.from(await detachedBy(stranger.privateKey, now))),
    )

    expect(verifier.fingerprints).toEqual([pair.fingerprint])
    expect(failure.text).toContain('not a trusted key')
  })

  it('are read binary as well', async () => {
    const verifier = await openOpenPgpVerifier({ keys: [binary(pair.publicKey)], now: () => now })

    expect(verifier.fingerprints).toEqual([pair.fingerprint])
  })

  it.each([
    ['no key', []],
    ['a file without a key', ['not a key']],
    ['a private key', [pair.privateKey]],
    ['a broken key', [pair.publicKey.replace(/\n[A-Za-z0-9+/]{60}/, '\nAAAA')]],
  ])('are refused when there is %s', async (_, keys) => {
    const failure = await failureOf(verifierOf(...keys))

    expect(failure.code).toBe('CONFIG_INVALID')
  })

  it('are refused when a fingerprint is of none of them', async () => {
    const keys = [Buffer.from(pair.publicKey)]

    const failure = await failureOf(
      openOpenPgpVerifier({ keys, fingerprints: ['0'.repeat(40)], now: () => now }),
    )

    expect(failure.code).toBe('CONFIG_INVALID')
  })
})

describe('a signing key', () => {
  it('is RSA of 3,072 bits when we make it, and signs with SHA-512', async () => {
    const key = await readKey({ armoredKey: pair.publicKey })
    const message = await signer.cleartext('a', now)

    expect(key.getAlgorithmInfo()).toMatchObject({ algorithm: 'rsaEncryptSign', bits: 3072 })
    expect(key.keyPacket.version).toBe(4)
    expect(message).toContain('Hash: SHA512')
  })

  it('opens with its passphrase', async () => {
    const locked = await makeKey({ passphrase: 'secret' })
    const unlocked = await openOpenPgpSigner({ key: locked.privateKey, passphrase: 'secret' })
    const verifier = await verifierOf(unlocked.publicKey)

    const by = await verifier.detached(data, Buffer.from(await unlocked.detached(data, now)))

    expect(by.fingerprint).toBe(unlocked.fingerprint)
  })

  it.each([
    ['the passphrase is wrong', 'wrong', /does not open/],
    ['there is no passphrase', null, /is locked/],
  ])('is refused when %s', async (_, passphrase, reason) => {
    const privateKey = await readPrivateKey({ armoredKey: stranger.privateKey })
    const locked = await encryptKey({ privateKey, passphrase: 'secret' })

    const failure = await failureOf(openOpenPgpSigner({ key: locked.armor(), passphrase }))

    expect(failure.code).toBe('CONFIG_INVALID')
    expect(failure.text).toMatch(reason)
  })

  it.each([
    ['a public key', pair.publicKey],
    ['no key', 'hello'],
  ])('is refused when it is %s', async (_, key) => {
    const failure = await failureOf(openOpenPgpSigner({ key, passphrase: null }))

    expect(failure.code).toBe('CONFIG_INVALID')
  })

  it('of a kind that clients do not know is refused', async () => {
    const modern = await generateKey({
      type: 'curve25519',
      userIDs: { name: 'Modern' },
      date: now,
      config: { v6Keys: true },
    })

    const failure = await failureOf(openOpenPgpSigner({ key: modern.privateKey, passphrase: null }))

    expect(failure).toMatchObject({ code: 'CONFIG_INVALID', text: expect.stringContaining('RSA') })
  })

  it('that has expired does not sign', async () => {
    const expired = await makeKey({ seconds: 86_400 })
    const late = await openOpenPgpSigner({ key: expired.privateKey, passphrase: null })

    const failure = await failureOf(late.detached(data, now))

    expect(failure).toMatchObject({
      code: 'SIGNING_FAILED',
      text: expect.stringContaining('Prolong the key'),
    })
  })
})

function binary(armored: string): Buffer {
  const base64 = armored.split('\n').filter((line) => /^[A-Za-z0-9+/]+={0,2}\r?$/.test(line))
  return Buffer.from(base64.join(''), 'base64')
}

it('leaves SHA-1 over messages off in the library', async () => {
  const { config } = await import('openpgp')

  expect(config.rejectMessageHashAlgorithms.has(enums.hash.sha1)).toBe(true)
})
