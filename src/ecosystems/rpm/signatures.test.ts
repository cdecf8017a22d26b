import { afterAll, describe, expect, it } from 'vitest'
import type { PackageVerdict } from '../../core/package-signature.ts'
import { openPackageVerifier } from '../../sign/openpgp.ts'
import type { WeakDigest } from '../../sign/package-verifier.ts'
import { rpmSignatureTag } from './formats/rpm-tags.ts'
import { rpmSignatures } from './signatures.ts'
import {
  findMissing,
  GpgHome,
  headersOf,
  rpmVersion,
  signByVersion3,
  unsignedPackage,
  withSignatures,
} from './signed-packages.fixtures.ts'

const missing = findMissing('gpg', 'rpmsign', 'rpmkeys')
const title = missing ? `signatures by keys of gpg (skipped: ${missing})` : 'signatures by keys of gpg'

interface Terms {
  readonly weakDigests?: readonly WeakDigest[]
  readonly mustCoverAll?: boolean
}

async function verdictOf(content: Buffer, keys: readonly Uint8Array[], terms: Terms = {}) {
  const { weakDigests = [], mustCoverAll = false } = terms
  const verifier = await openPackageVerifier({ keys, weakDigests, now: () => new Date('2025-01-01') })
  const file = {
    size: content.length,
    head: (maxBytes: number) => content.subarray(0, maxBytes),
    async *read(start = 0) {
      yield content.subarray(start)
    },
  }
  return rpmSignatures.verify(file, verifier, { mustCoverAll })
}

interface Case extends Terms {
  readonly content: Buffer
  readonly keys: readonly Uint8Array[]
  readonly verdict: Partial<Extract<PackageVerdict, { state: 'good' }>> | { state: string; reason?: string }
}

const gpg = new GpgHome()
afterAll(() => gpg.close())

const { dsaHeader, rsaHeader, pgp } = rpmSignatureTag
const { mainBytes } = headersOf(unsignedPackage)
const [before, after] = ['20240110', '20240301']
const memory = new Map<string, string>()

/** One key of a kind for all tests that ask nothing else of it: some take seconds to make. */
function keyOf(kind: string): string {
  const known = memory.get(kind) ?? gpg.makeKey(kind)
  memory.set(kind, known)
  return known
}

function signedBy(fingerprint: string, options: Parameters<GpgHome['addSign']>[2] = {}): Case {
  const content = gpg.addSign(fingerprint, before, options)
  const verdict = { state: 'good', fingerprint, signedAt: new Date('2024-01-10') } as const
  return { content, keys: [gpg.exportKey(fingerprint)], verdict }
}

function revoked(reason: 'none' | 'compromised' | 'superseded', signedOn: string): Omit<Case, 'verdict'> {
  const fingerprint = gpg.makeKey('rsa2048')
  const content = gpg.addSign(fingerprint, signedOn)
  gpg.revoke(fingerprint, reason, '20240201')
  return { content, keys: [gpg.exportKey(fingerprint)] }
}

const cases: readonly (readonly [name: string, differs: string | null, make: () => Case | Promise<Case>])[] =
  [
    ['by RSA', null, () => signedBy(keyOf('rsa2048'))],
    ['by DSA', null, () => signedBy(keyOf('dsa2048'))],
    ['by EdDSA', null, () => signedBy(keyOf('ed25519'))],
    ...[
      ['nistp256', 'SHA256'],
      ['nistp384', 'SHA384'],
      ['nistp521', 'SHA512'],
    ].map(([kind = '', digest]): (typeof cases)[number] => [
      `by ECDSA on ${kind}`,
      'rpm 4.18 knows no ECDSA',
      () => {
        const fingerprint = keyOf(kind)
        const content = withSignatures({ [dsaHeader]: gpg.detached(mainBytes, fingerprint, before, digest) })
        return { content, keys: [gpg.exportKey(fingerprint)], verdict: { state: 'good', fingerprint } }
      },
    ]),
    ['by SHA-512', null, () => signedBy(keyOf('rsa2048'), { digest: 'sha512' })],
    [
      'by a subkey',
      null,
      () => {
        const fingerprint = gpg.makeKey('rsa2048', 'cert')
        gpg.addSigningSubkey(fingerprint, 'rsa2048')
        return signedBy(fingerprint)
      },
    ],
    [
      'of header and payload',
      null,
      () => ({ ...signedBy(keyOf('rsa2048'), { also: ['--rpmv3'] }), mustCoverAll: true }),
    ],
    [
      'of header and payload alone',
      null,
      () => {
        const fingerprint = keyOf('rsa2048')
        const whole = unsignedPackage.subarray(headersOf(unsignedPackage).mainOffset)
        const content = withSignatures({ [pgp]: gpg.detached(whole, fingerprint, before) })
        const verdict = { state: 'good', fingerprint }
        return { content, keys: [gpg.exportKey(fingerprint)], verdict, mustCoverAll: true }
      },
    ],
    [
      'of version 3',
      null,
      async () => {
        const fingerprint = keyOf('rsa2048')
        const created = new Date('2024-01-10T01:02:03Z')
        const packet = signByVersion3(mainBytes, await gpg.exportRsaKey(fingerprint), fingerprint, created)
        const content = withSignatures({ [rsaHeader]: packet })
        const verdict = { state: 'good', fingerprint, signedAt: created } as const
        return { content, keys: [gpg.exportKey(fingerprint)], verdict }
      },
    ],
    [
      'of version 3 for another header',
      null,
      async () => {
        const fingerprint = keyOf('rsa2048')
        const key = await gpg.exportRsaKey(fingerprint)
        const packet = signByVersion3(Buffer.from('other'), key, fingerprint, new Date('2024-01-10'))
        const content = withSignatures({ [rsaHeader]: packet })
        return { content, keys: [gpg.exportKey(fingerprint)], verdict: { state: 'bad' } }
      },
    ],
    [
      'for another header',
      null,
      () => {
        const fingerprint = keyOf('ed25519')
        const content = withSignatures({
          [dsaHeader]: gpg.detached(Buffer.from('other'), fingerprint, before),
        })
        return { content, keys: [gpg.exportKey(fingerprint)], verdict: { state: 'bad' } }
      },
    ],
    [
      'of a package whose payload was changed',
      null,
      () => {
        const { content, keys } = signedBy(keyOf('rsa2048'))
        const changed = Buffer.from(content)
        changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1)
        return { content: changed, keys, verdict: { state: 'bad' }, mustCoverAll: true }
      },
    ],
    [
      'by an unknown key',
      null,
      () => ({
        ...signedBy(keyOf('rsa2048')),
        keys: [gpg.exportKey(keyOf('ed25519'))],
        verdict: { state: 'unknown-key' },
      }),
    ],
    [
      'by a known and an unknown key',
      'rpm wants each signature good',
      () => {
        const [known, stranger] = [keyOf('ed25519'), keyOf('rsa2048')]
        const content = withSignatures({
          [dsaHeader]: gpg.detached(mainBytes, known, before),
          [rsaHeader]: gpg.detached(mainBytes, stranger, before),
        })
        return { content, keys: [gpg.exportKey(known)], verdict: { state: 'good', fingerprint: known } }
      },
    ],
    [
      'by two known keys',
      null,
      () => {
        const [one, other] = [keyOf('ed25519'), keyOf('rsa2048')]
        const content = withSignatures({
          [dsaHeader]: gpg.detached(mainBytes, one, before),
          [rsaHeader]: gpg.detached(mainBytes, other, before),
        })
        return { content, keys: [gpg.exportKey(one), gpg.exportKey(other)], verdict: { state: 'good' } }
      },
    ],
    [
      'by SHA-1',
      'rpm 4.18 accepts SHA-1',
      () => ({
        ...signedBy(keyOf('rsa2048'), { digest: 'sha1' }),
        verdict: { state: 'bad', reason: expect.stringContaining('weak_digests') },
      }),
    ],
    [
      'by SHA-1, where that is accepted',
      null,
      () => ({ ...signedBy(keyOf('rsa2048'), { digest: 'sha1' }), weakDigests: ['sha1'] }),
    ],
    [
      'by a key that has expired since',
      null,
      () => {
        const fingerprint = gpg.makeKey('rsa2048', 'sign', '2024-02-01')
        return signedBy(fingerprint)
      },
    ],
    [
      'by a key that had expired before',
      'rpm 4.18 does not look at the expiry of keys',
      () => {
        const fingerprint = gpg.makeKey('rsa2048')
        const content = gpg.addSign(fingerprint, after)
        gpg.setExpiry(fingerprint, '2024-02-01')
        const verdict = { state: 'bad', reason: 'the key had expired before it signed' }
        return { content, keys: [gpg.exportKey(fingerprint)], verdict }
      },
    ],
    ...(['compromised', 'none'] as const).map((reason): (typeof cases)[number] => [
      `by a key that was revoked since (${reason})`,
      'rpm 4.18 does not look at revocations',
      () => ({ ...revoked(reason, before), verdict: { state: 'bad', reason: 'the key is revoked' } }),
    ]),
    [
      'by a key that was superseded since',
      null,
      () => ({ ...revoked('superseded', before), verdict: { state: 'good' } }),
    ],
    [
      'by a key that had been superseded before',
      'rpm 4.18 does not look at revocations',
      () => ({
        ...revoked('superseded', after),
        verdict: { state: 'bad', reason: 'the key was revoked before it signed' },
      }),
    ],
  ]

// Later ones judge by Sequoia's rules, which are stricter about digests and keys of old.
const isCompared = /^RPM version 4\.1[4-8]\b/.test(missing ? '' : rpmVersion())
const titled = cases.map(([name, differs, make]) => {
  const reason = isCompared ? differs : 'rpm is not of version 4.18'
  const compared = reason === null ? 'as rpm judges it' : `not compared with rpm: ${reason}`
  return [`${name} (${compared})`, reason === null, make] as const
})

describe.skipIf(missing)(title, { timeout: 120_000 }, () => {
  it.each(titled)('%s', async (_, isLikeRpm, make) => {
    const { content, keys, verdict, ...terms } = await make()

    const found = await verdictOf(content, keys, terms)

    expect(found).toMatchObject(verdict)
    if (isLikeRpm) expect(gpg.isGoodForRpm(content, keys)).toBe(found.state === 'good')
  })
})
