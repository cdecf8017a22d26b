import {
  createHash,
  createPublicKey,
  createVerify,
  type KeyObject,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto'
import { readNumbers } from './signature-packet.ts'

/** Takes the signed bytes, then says whether the signature is one of them by the key. */
export interface SignatureCheck {
  update(bytes: Uint8Array): void
  finish(): boolean
}

/** A public key that checks signatures. */
export interface PublicKey {
  /** OpenPGP's number. */
  readonly algorithm: number
  /** Of the modulus, for RSA and DSA; `null` for curves. */
  readonly bits: number | null
  /**
   * @param hash as `node:crypto` names it
   * @param value the signature, in the form of the algorithm
   * @throws Error where `value` is damaged
   */
  check(hash: string, value: Uint8Array): SignatureCheck
}

const dsa = 17
const ecdsa = 19
const legacyEdDsa = 22
const ed25519 = 27
const ed448 = 28

/**
 * The key of a key packet, from its algorithm and parameters as the OpenPGP library reads them.
 * `null` for an algorithm or curve that signs nothing or is not known here.
 */
export function openPublicKey(
  algorithm: number,
  parameters: object,
  curve: string | undefined,
): PublicKey | null {
  const part = (name: string) => partOf(parameters, name)
  switch (algorithm) {
    case 1:
    case 3:
      return rsaKey(algorithm, part('n'), part('e'))
    case dsa:
      return dsaKey(part('p'), part('q'), part('g'), part('y'))
    case ecdsa:
      return ecdsaKey(part('Q'), curve)
    case legacyEdDsa:
      // Before the point stands a byte that says it is native to the curve.
      return curve === 'ed25519Legacy' || curve === 'ed25519'
        ? edwardsKey(algorithm, 'Ed25519', part('Q').subarray(1), readLegacyEdDsa)
        : null
    case ed25519:
      return edwardsKey(algorithm, 'Ed25519', part('A'), (value) => value)
    case ed448:
      return edwardsKey(algorithm, 'Ed448', part('A'), (value) => value)
    default:
      return null
  }
}

function rsaKey(algorithm: number, modulus: Uint8Array, exponent: Uint8Array): PublicKey {
  const key = createPublicKey({
    key: { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) },
    format: 'jwk',
  })
  return {
    algorithm,
    bits: bitLength(modulus),
    check: (hash, value) => {
      const [number] = readNumbers(value, 1)
      return streamedCheck(hash, key, padded(number, modulus.length))
    },
  }
}

function dsaKey(p: Uint8Array, q: Uint8Array, g: Uint8Array, y: Uint8Array): PublicKey {
  const parameters = der(0x30, derNumber(p), derNumber(q), derNumber(g))
  const identifier = der(0x30, Buffer.from('06072a8648ce380401', 'hex'), parameters)
  const bits = der(0x03, Buffer.of(0), derNumber(y))
  const key = createPublicKey({ key: der(0x30, identifier, bits), format: 'der', type: 'spki' })
  return {
    algorithm: dsa,
    bits: bitLength(p),
    check: (hash, value) => pairCheck(hash, key, value, q.length),
  }
}

const curves: Readonly<Record<string, { readonly name: string; readonly octets: number }>> = {
  nistP256: { name: 'P-256', octets: 32 },
  nistP384: { name: 'P-384', octets: 48 },
  nistP521: { name: 'P-521', octets: 66 },
}

function ecdsaKey(point: Uint8Array, curve: string | undefined): PublicKey | null {
  const known = curves[curve ?? '']
  if (!known) return null
  const { name, octets } = known
  if (point[0] !== 4 || point.length !== 1 + 2 * octets) throw new Error('the point is not uncompressed')
  const [x, y] = [base64url(point.subarray(1, 1 + octets)), base64url(point.subarray(1 + octets))]
  const key = createPublicKey({ key: { kty: 'EC', crv: name, x, y }, format: 'jwk' })
  return { algorithm: ecdsa, bits: null, check: (hash, value) => pairCheck(hash, key, value, octets) }
}

function edwardsKey(
  algorithm: number,
  curve: 'Ed25519' | 'Ed448',
  point: Uint8Array,
  read: (value: Uint8Array) => Uint8Array,
): PublicKey {
  const key = createPublicKey({ key: { kty: 'OKP', crv: curve, x: base64url(point) }, format: 'jwk' })
  return {
    algorithm,
    bits: null,
    check: (hash, value) => {
      const signature = read(value)
      const digest = createHash(hash)
      // OpenPGP signs the digest, and not what it is a digest of.
      return {
        update: (bytes) => void digest.update(bytes),
        finish: () => verify(null, digest.digest(), key, signature),
      }
    },
  }
}

function readLegacyEdDsa(value: Uint8Array): Uint8Array {
  return Buffer.concat(readNumbers(value, 2).map((number) => padded(number, 32)))
}

function pairCheck(hash: string, key: KeyObject, value: Uint8Array, octets: number): SignatureCheck {
  const pair = readNumbers(value, 2).map((number) => padded(number, octets))
  return streamedCheck(hash, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat(pair))
}

function streamedCheck(
  hash: string,
  key: KeyObject | VerifyKeyObjectInput,
  signature: Uint8Array,
): SignatureCheck {
  const running = createVerify(hash)
  return {
    update: (bytes) => void running.update(bytes),
    finish: () => running.verify(key, signature),
  }
}

/** Numbers lose their leading zeros in a packet; the algorithms want them back. */
function padded(number: Uint8Array | undefined, octets: number): Uint8Array {
  if (!number || number.length > octets) throw new Error('the signature does not fit the key')
  const whole = Buffer.alloc(octets)
  whole.set(number, octets - number.length)
  return whole
}

function bitLength(number: Uint8Array): number {
  const first = number.findIndex((byte) => byte !== 0)
  if (first === -1) return 0
  return (number.length - first - 1) * 8 + (32 - Math.clz32(number[first] ?? 0))
}

function partOf(parameters: object, name: string): Uint8Array {
  const part: unknown = Object.entries(parameters).find(([key]) => key === name)?.[1]
  if (part instanceof Uint8Array) return part
  throw new Error(`the key has no ${name}`)
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

/** @see X.690, 8.1 */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const long = body.length < 0x100 ? [0x81] : [0x82, body.length >> 8]
  const octets = body.length < 0x80 ? [body.length] : [...long, body.length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...octets), body])
}

/** Positive: a leading zero where the first bit is set. */
function derNumber(number: Uint8Array): Buffer {
  return (number[0] ?? 0) >= 0x80 ? der(0x02, Buffer.of(0), number) : der(0x02, number)
}
