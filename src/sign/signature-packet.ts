/** An OpenPGP signature packet, taken apart as far as checking it needs. */
export interface SignaturePacket {
  readonly version: 3 | 4 | 6
  /** 0: of a binary document. */
  readonly type: number
  readonly keyAlgorithm: number
  readonly hashAlgorithm: number
  /** `null` where the signed part does not say. */
  readonly created: Date | null
  /** `null` where it does not expire. */
  readonly expiresAt: Date | null
  /** Who claims to have signed, in upper-case hex. Not part of what is signed: only a key's own check makes it true. */
  readonly issuer: { readonly keyId: string | null; readonly fingerprint: string | null }
  /** A signed statement that a reader must understand, and this one does not: why. */
  readonly obstacle: string | null
  /** Hashed before the data (version 6), and after it. */
  readonly salt: Uint8Array
  readonly trailer: Uint8Array
  /** The signature proper, in the form of its algorithm. */
  readonly value: Uint8Array
}

/** Digests by OpenPGP's numbers, as `node:crypto` names them. @see RFC 9580, 9.5 */
export const digestNames: Readonly<Record<number, string>> = {
  1: 'md5',
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
  11: 'sha224',
  12: 'sha3-256',
  14: 'sha3-512',
}

/** Bytes of salt that version 6 asks for by digest, where it knows the digest. @see RFC 9580, 9.5, table 23 */
const saltSizes: Readonly<Record<number, number>> = { 8: 16, 9: 24, 10: 32, 11: 16, 12: 16, 14: 32 }

/** @throws Error where `body` is damaged. `null` for a version that is not known  @see RFC 9580, 5.2; RFC 4880, 5.2.2 */
export function parseSignaturePacket(body: Uint8Array): SignaturePacket | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  try {
    const version = bytes.readUInt8(0)
    if (version === 3) return parseVersion3(bytes)
    return version === 4 || version === 6 ? parseVersion4Or6(bytes, version) : null
  } catch (error) {
    if (error instanceof RangeError) throw new Error('the signature is cut short', { cause: error })
    throw error
  }
}

/** The numbers of a signature's value, `count` of them, without leading zeros. @throws Error where it is damaged */
export function readNumbers(value: Uint8Array, count: number): readonly Uint8Array[] {
  const numbers: Uint8Array[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    const [high, low] = [value[at], value[at + 1]]
    if (high === undefined || low === undefined) throw new Error('the signature is cut short')
    const end = at + 2 + Math.ceil((high * 256 + low) / 8)
    if (end > value.length) throw new Error('the signature is cut short')
    numbers.push(value.subarray(at + 2, end))
    at = end
  }
  if (at !== value.length) throw new Error('more stands after the signature')
  return numbers
}

function parseVersion3(bytes: Buffer): SignaturePacket {
  if (bytes.readUInt8(1) !== 5) throw new Error('the signature hashes another length than version 3 does')
  return {
    version: 3,
    type: bytes.readUInt8(2),
    created: new Date(bytes.readUInt32BE(3) * 1000),
    expiresAt: null,
    issuer: { keyId: hex(slice(bytes, 7, 15)), fingerprint: null },
    obstacle: null,
    keyAlgorithm: bytes.readUInt8(15),
    hashAlgorithm: bytes.readUInt8(16),
    salt: Buffer.alloc(0),
    trailer: slice(bytes, 2, 7),
    value: bytes.subarray(19),
  }
}

function parseVersion4Or6(bytes: Buffer, version: 4 | 6): SignaturePacket {
  const lengthOctets = version === 6 ? 4 : 2
  const hashedStart = 4 + lengthOctets
  const hashedEnd = hashedStart + bytes.readUIntBE(4, lengthOctets)
  const hashed = readSubpackets(slice(bytes, hashedStart, hashedEnd))
  const unhashedStart = hashedEnd + lengthOctets
  const unhashedEnd = unhashedStart + bytes.readUIntBE(hashedEnd, lengthOctets)
  const unhashed = readSubpackets(slice(bytes, unhashedStart, unhashedEnd))
  // Between them stand two bytes of the digest, which spare a hurried reader the check and prove nothing.
  const saltStart = unhashedEnd + 2
  const salt = version === 6 ? readSalt(bytes, saltStart) : Buffer.alloc(0)

  const trailer = Buffer.alloc(hashedEnd + 6)
  bytes.copy(trailer, 0, 0, hashedEnd)
  trailer.writeUInt8(version, hashedEnd)
  trailer.writeUInt8(0xff, hashedEnd + 1)
  trailer.writeUInt32BE(hashedEnd, hashedEnd + 2)

  const created = secondsOf(hashed, creationTime)
  const lifetime = secondsOf(hashed, expirationTime)
  return {
    version,
    type: bytes.readUInt8(1),
    keyAlgorithm: bytes.readUInt8(2),
    hashAlgorithm: bytes.readUInt8(3),
    created: created === null ? null : new Date(created * 1000),
    expiresAt: created === null || !lifetime ? null : new Date((created + lifetime) * 1000),
    issuer: readIssuer([...hashed, ...unhashed]),
    obstacle: findObstacle(hashed),
    salt,
    trailer,
    value: slice(bytes, version === 6 ? saltStart + 1 + salt.length : saltStart, bytes.length),
  }
}

/** A salt of another size could begin the data that is signed. */
function readSalt(bytes: Buffer, start: number): Buffer {
  const size = bytes.readUInt8(start)
  const wanted = saltSizes[bytes.readUInt8(3)]
  if (wanted !== undefined && size !== wanted)
    throw new Error(`the signature has a salt of ${size} bytes, its digest asks for ${wanted}`)
  return slice(bytes, start + 1, start + 1 + size)
}

interface Subpacket {
  readonly type: number
  readonly isCritical: boolean
  readonly body: Buffer
}

const creationTime = 2
const expirationTime = 3
const issuerKeyId = 16
const issuerFingerprint = 33

/**
 * Those that change nothing about a document's signature, or that are followed here: times, who signed, preferences, features,
 * policy, recipients. Notations (20) are not among them: a critical one asks for a reader that knows it.
 */
const understood: ReadonlySet<number> = new Set([
  creationTime,
  expirationTime,
  issuerKeyId,
  issuerFingerprint,
  ...[4, 7, 11, 21, 22, 23, 24, 26, 27, 28, 30, 34, 35, 39],
])

function findObstacle(hashed: readonly Subpacket[]): string | null {
  const unknown = hashed.find(({ type, isCritical }) => isCritical && !understood.has(type))
  return unknown ? `the signature depends on a statement of type ${unknown.type}, which is not known` : null
}

function readSubpackets(area: Buffer): readonly Subpacket[] {
  const subpackets: Subpacket[] = []
  let at = 0
  while (at < area.length) {
    const one = area.readUInt8(at)
    let length = one
    let octets = 1
    if (one === 255) [length, octets] = [area.readUInt32BE(at + 1), 5]
    else if (one >= 192) [length, octets] = [((one - 192) << 8) + area.readUInt8(at + 1) + 192, 2]
    const start = at + octets
    if (length === 0) throw new Error('the signature has an empty statement')
    const type = area.readUInt8(start)
    at = start + length
    subpackets.push({
      type: type & 0x7f,
      isCritical: (type & 0x80) !== 0,
      body: slice(area, start + 1, at),
    })
  }
  return subpackets
}

function secondsOf(subpackets: readonly Subpacket[], wanted: number): number | null {
  const found = subpackets.find(({ type }) => type === wanted)
  return found ? found.body.readUInt32BE(0) : null
}

function readIssuer(subpackets: readonly Subpacket[]): SignaturePacket['issuer'] {
  const named = subpackets.find(({ type, body }) => type === issuerFingerprint && body.length > 20)
  const fingerprint = named ? hex(named.body.subarray(1)) : null
  const byId = subpackets.find(({ type, body }) => type === issuerKeyId && body.length === 8)
  if (byId) return { keyId: hex(byId.body), fingerprint }
  if (fingerprint === null) return { keyId: null, fingerprint }
  return {
    keyId: fingerprint.length === 40 ? fingerprint.slice(-16) : fingerprint.slice(0, 16),
    fingerprint,
  }
}

/** A slice that is whole, where `subarray` would give less. */
function slice(bytes: Buffer, start: number, end: number): Buffer {
  if (end > bytes.length) throw new RangeError('out of bounds')
  return bytes.subarray(start, end)
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase()
}
