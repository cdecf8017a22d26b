import { createHash, createPrivateKey, type KeyObject, sign as signBytes } from 'node:crypto'
import { createMessage, generateKey, readPrivateKey, sign } from 'openpgp'
import { describe, expect, it } from 'vitest'
import { openPackageVerifier } from './package-verifier.ts'

const day = 86_400_000
const now = new Date('2026-05-04T03:02:01Z')
const keyCreated = new Date(now.getTime() - 10 * day)
const chunks = ['a ', 'hea', 'der'].map((text) => Buffer.from(text))
const data = Buffer.concat(chunks)

interface Signer {
  readonly armored: { readonly publicKey: string; readonly privateKey: string }
  readonly fingerprint: Buffer
  readonly key: KeyObject
}

const [version4, version6] = [await makeSigner(false), await makeSigner(true)]

async function makeSigner(v6Keys: boolean): Promise<Signer> {
  const armored = await generateKey({
    type: 'curve25519',
    userIDs: { name: 'Packager' },
    date: keyCreated,
    config: { v6Keys },
  })
  const { keyPacket } = await readPrivateKey({ armoredKey: armored.privateKey })
  const { seed } = Object('privateParams' in keyPacket ? keyPacket.privateParams : {})
  const { A } = Object(keyPacket.publicParams)
  const text = (part: Uint8Array) => Buffer.from(part).toString('base64url')
  return {
    armored,
    fingerprint: Buffer.from(keyPacket.getFingerprintBytes() ?? []),
    key: createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d: text(seed), x: text(A) }, format: 'jwk' }),
  }
}

interface Craft {
  readonly by: Signer
  readonly version: 4 | 6
  readonly type: number
  readonly algorithm: number
  readonly created: Date | null
  readonly salt: number
  readonly subpackets: readonly Buffer[]
  readonly unhashed: readonly Buffer[]
}

/** A good signature of {@link data} by Ed25519 and SHA-256, but for what is said otherwise. */
function craft(said: Partial<Craft> = {}): Buffer {
  const by = said.by ?? version4
  const isVersion6 = (said.version ?? (by === version6 ? 6 : 4)) === 6
  const { type = 0, algorithm = 27, created = now, salt = 16, subpackets = [], unhashed = [] } = said
  const area = (parts: readonly Buffer[]) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.concat(parts).length)
    return Buffer.concat([isVersion6 ? length : length.subarray(2), ...parts])
  }
  const time = created === null ? [] : [subpacket(2, seconds(created))]
  const issuer = subpacket(33, Buffer.concat([Buffer.of(by === version6 ? 6 : 4), by.fingerprint]))
  const head = Buffer.of(isVersion6 ? 6 : 4, type, algorithm, 8)
  const hashed = Buffer.concat([head, area([...time, issuer, ...subpackets])])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(hashed.length)
  const salted = isVersion6 ? Buffer.alloc(salt, 7) : Buffer.alloc(0)
  const ending = Buffer.concat([Buffer.of(isVersion6 ? 6 : 4, 255), length])
  const digest = createHash('sha256')
    .update(Buffer.concat([salted, data, hashed, ending]))
    .digest()
  return packet(
    Buffer.concat([
      hashed,
      area(unhashed),
      digest.subarray(0, 2),
      isVersion6 ? Buffer.concat([Buffer.of(salt), salted]) : salted,
      signBytes(null, digest, by.key),
    ]),
  )
}

function subpacket(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(body.length + 1, type), body])
}

function seconds(date: Date): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(date.getTime() / 1000)
  return bytes
}

function packet(body: Buffer): Buffer {
  const header = Buffer.of(0xc2, 0xff, 0, 0, 0, 0)
  header.writeUInt32BE(body.length, 2)
  return Buffer.concat([header, body])
}

async function signedByLibrary({ armored }: Signer): Promise<Buffer> {
  const signature: unknown = await sign({
    message: await createMessage({ binary: data }),
    signingKeys: await readPrivateKey({ armoredKey: armored.privateKey }),
    detached: true,
    format: 'binary',
    date: now,
  })
  return signature instanceof Uint8Array ? Buffer.from(signature) : Buffer.alloc(0)
}

const verifier = await openPackageVerifier({
  keys: [version4, version6].map(({ armored }) => Buffer.from(armored.publicKey)),
  weakDigests: [],
  now: () => now,
})

function verdictOf(...signatures: readonly Uint8Array[]) {
  return verifier.verify(signatures, () => chunks)
}

describe('signatures of packages', () => {
  it.each([
    ['4', version4],
    ['6', version6],
  ])('of version %s are good, as the OpenPGP library makes them and as the tests do', async (_, by) => {
    const good = {
      state: 'good',
      fingerprint: by.fingerprint.toString('hex').toUpperCase(),
      signedAt: now,
    }

    expect(await verdictOf(await signedByLibrary(by))).toMatchObject(good)
    expect(await verdictOf(craft({ by }))).toMatchObject(good)
  })

  it.each<[string, Partial<Craft>, string]>([
    [
      'depends on what is not known',
      { subpackets: [subpacket(0x80 | 99, Buffer.of(1))] },
      'statement of type 99',
    ],
    [
      'depends on a notation',
      { subpackets: [subpacket(0x80 | 20, Buffer.alloc(12))] },
      'statement of type 20',
    ],
    [
      'has expired',
      { created: new Date(now.getTime() - day), subpackets: [subpacket(3, Buffer.of(0, 0, 1, 0))] },
      'has expired',
    ],
    ['has no time', { created: null }, 'has no time'],
    [
      'has a time that nobody signed',
      { created: null, unhashed: [subpacket(2, seconds(now))] },
      'has no time',
    ],
    ['is of the future', { created: new Date(now.getTime() + day) }, 'in the future'],
    ['is older than its key', { created: new Date(keyCreated.getTime() - 1000) }, 'newer than the signature'],
    ['signs no file', { type: 0x10 }, 'not the signature of a file'],
    ['is of text', { type: 1 }, 'not the signature of a file'],
    ['is of another algorithm than its key', { algorithm: 1 }, 'another algorithm'],
    ['is of version 4 by a key of version 6', { by: version6, version: 4 }, 'another version'],
    ['is of version 6 by a key of version 4', { by: version4, version: 6 }, 'another version'],
    ['has too much salt', { by: version6, salt: 17 }, 'a salt of 17 bytes'],
    ['has no salt', { by: version6, salt: 0 }, 'a salt of 0 bytes'],
  ])('are refused where one %s', async (_, said, reason) => {
    expect(await verdictOf(craft(said))).toMatchObject({
      state: 'bad',
      reason: expect.stringContaining(reason),
    })
  })

  it('with a statement that is not known and does not matter are good', async () => {
    expect(await verdictOf(craft({ subpackets: [subpacket(99, Buffer.of(1))] }))).toMatchObject({
      state: 'good',
    })
  })

  it('count where one is good, whatever the others are', async () => {
    const wrong = craft({ type: 1 })
    const unreadable = packet(Buffer.of(4, 0))
    const newer = packet(Buffer.of(7, 0, 0))

    expect(await verdictOf(wrong, unreadable, newer, craft())).toMatchObject({ state: 'good' })
    expect(await verdictOf(Buffer.concat([wrong, craft()]))).toMatchObject({ state: 'good' })
    expect(await verdictOf(newer)).toMatchObject({ state: 'unsupported' })
    expect(await verdictOf(unreadable, newer, wrong)).toMatchObject({
      state: 'bad',
      keyId: expect.any(String),
    })
    expect(await verdictOf()).toEqual({ state: 'unsigned' })
  })

  it('that are damaged or cut short are never good', async () => {
    const [whole, twin] = [craft(), craft({ by: version6 })]

    for (const signature of [whole, twin]) {
      for (let at = 0; at < signature.length; at += 1) {
        const damaged = Buffer.from(signature)
        damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
        const { state } = await verdictOf(damaged)
        if (state === 'good') expect(isUnsigned(signature, at)).toBe(true)
        expect(await verdictOf(signature.subarray(0, at))).not.toMatchObject({ state: 'good' })
      }
    }
  })

  it('are too many at some point', async () => {
    const many = Array.from({ length: 17 }, (_, index) =>
      craft({ created: new Date(now.getTime() - index * 1000) }),
    )

    expect(await verdictOf(...many.slice(1))).toMatchObject({ state: 'good' })
    expect(await verdictOf(...many)).toMatchObject({
      state: 'bad',
      reason: expect.stringContaining('more than 16'),
    })
  })
})

/** Whether the byte is one of the two that repeat the digest's beginning. */
function isUnsigned(signature: Buffer, at: number): boolean {
  const saltAndValue = signature.readUInt8(6) === 6 ? 17 + 64 : 64
  const end = signature.length - saltAndValue
  return at === end - 1 || at === end - 2
}
