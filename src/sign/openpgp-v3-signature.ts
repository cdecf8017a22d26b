import { createPublicKey, verify } from 'node:crypto'

/** A signature packet of version 3, which signers of RPM repositories still write. */
export interface V3Signature {
  readonly type: number
  readonly created: Date
  /** 16 upper-case hex digits. */
  readonly keyId: string
  readonly keyAlgorithm: number
  readonly hashAlgorithm: number
  /** The part of the packet that is hashed after the data: type and time. */
  readonly hashed: Uint8Array
  /** Of RSA: the signature as a number, without leading zeros. */
  readonly value: Uint8Array
}

/** OpenPGP's numbers for the hashes strong enough to count. SHA-1 is 2, MD5 1. */
const hashNames: Readonly<Record<number, string>> = { 8: 'sha256', 9: 'sha384', 10: 'sha512', 11: 'sha224' }
const rsaAlgorithms = [1, 3]

/** @returns `null` where `body` is no version 3 signature by an RSA key  @see RFC 4880, 5.2.2 */
export function parseV3Signature(body: Uint8Array): V3Signature | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.length < 21 || bytes[0] !== 3 || bytes[1] !== 5) return null
  const keyAlgorithm = bytes.readUInt8(15)
  const octets = Math.ceil(bytes.readUInt16BE(19) / 8)
  if (!rsaAlgorithms.includes(keyAlgorithm) || bytes.length !== 21 + octets) return null
  return {
    type: bytes.readUInt8(2),
    created: new Date(bytes.readUInt32BE(3) * 1000),
    keyId: bytes.toString('hex', 7, 15).toUpperCase(),
    keyAlgorithm,
    hashAlgorithm: bytes.readUInt8(16),
    hashed: bytes.subarray(2, 7),
    value: bytes.subarray(21),
  }
}

/** @param parameters of the key packet: `n` and `e`  @throws Error saying why the signature is not good */
export function verifyV3Signature(signature: V3Signature, data: Uint8Array, parameters: object): void {
  const hash = hashNames[signature.hashAlgorithm]
  if (hash === undefined)
    throw new Error(`Insecure message hash algorithm: number ${signature.hashAlgorithm}`)
  const { modulus, exponent } = rsaNumbers(parameters)
  const key = createPublicKey({
    key: { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) },
    format: 'jwk',
  })
  const value = Buffer.alloc(modulus.length)
  if (signature.value.length > value.length) throw new Error('Signature verification failed')
  value.set(signature.value, value.length - signature.value.length)
  const signed = Buffer.concat([signature.type === 1 ? withNetworkLineEnds(data) : data, signature.hashed])
  if (!verify(hash, signed, key, value)) throw new Error('Signature verification failed')
}

function rsaNumbers(parameters: object): { modulus: Uint8Array; exponent: Uint8Array } {
  if (!('n' in parameters && 'e' in parameters)) throw new Error('Public key algorithm does not match')
  const { n, e } = parameters
  if (!(n instanceof Uint8Array && e instanceof Uint8Array))
    throw new Error('Public key algorithm does not match')
  return { modulus: n, exponent: e }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function withNetworkLineEnds(data: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(data).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}
