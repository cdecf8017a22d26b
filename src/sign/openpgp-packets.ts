import { ChantalError } from '../core/errors.ts'

/** One OpenPGP packet. `bytes` is header and body, `body` what the header announces. */
export interface Packet {
  readonly tag: number
  readonly bytes: Uint8Array
  readonly body: Uint8Array
}

const signatureTag = 2
const markerTag = 10
const paddingTag = 21

/** More signatures than any rotation needs; each one costs a hash over the whole message. */
const maxSignatures = 64

/**
 * The signature packets of a detached signature: armored (one block or several) or binary, any number in a row.
 * @throws ChantalError `SIGNATURE_MISSING` for an empty file, `SIGNATURE_INVALID` for anything else that is no signature
 */
export function readSignaturePackets(file: Uint8Array): readonly Packet[] {
  if (isBlank(file)) throw signatureMissing('the signature file is empty')
  const blocks = isBinary(file) ? [file] : dearmor(latin1(file), 'SIGNATURE')
  if (blocks.length === 0) throw notASignature('neither armored nor binary OpenPGP data')
  const packets: Packet[] = []
  for (const block of blocks) {
    for (const packet of readPackets(block)) {
      if (packet.tag === markerTag || packet.tag === paddingTag) continue
      if (packet.tag !== signatureTag) throw notASignature(`it holds a packet of type ${packet.tag}`)
      packets.push(packet)
      if (packets.length > maxSignatures)
        throw notASignature(`it holds more than ${maxSignatures} signatures`)
    }
  }
  if (packets.length === 0) throw signatureMissing('the signature file holds no signature')
  return packets
}

/** Blocks of public keys in a file that is armored (several blocks) or binary. Empty where there are none. */
export function readKeyBlocks(file: Uint8Array): readonly Uint8Array[] {
  return isBinary(file) ? [file] : dearmor(latin1(file), 'PUBLIC KEY BLOCK')
}

function signatureMissing(message: string): ChantalError {
  return new ChantalError('SIGNATURE_MISSING', message, {
    hint: 'Ask upstream for signed metadata, or set verify.metadata to off for this repository.',
  })
}

function notASignature(reason: string, cause?: unknown): ChantalError {
  return new ChantalError('SIGNATURE_INVALID', `not an OpenPGP signature: ${reason}`, {
    hint: 'Look at what upstream serves in its place: an error page is a common cause.',
    cause,
  })
}

/** The first octet of a packet has its highest bit set, which no armor has. */
function isBinary(file: Uint8Array): boolean {
  const first = withoutByteOrderMark(file)[0]
  return first !== undefined && first >= 0x80
}

function isBlank(file: Uint8Array): boolean {
  return file.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))
}

function latin1(file: Uint8Array): string {
  return Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('latin1')
}

function withoutByteOrderMark(file: Uint8Array): Uint8Array {
  return file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf ? file.subarray(3) : file
}

/** @see RFC 9580, 6.2. The checksum is not looked at, as its 6.1 asks: the signature is the better one. */
function dearmor(text: string, kind: string): readonly Uint8Array[] {
  const begin = `-----BEGIN PGP ${kind}-----`
  const end = `-----END PGP ${kind}-----`
  const blocks: Uint8Array[] = []
  let position = text.indexOf(begin)
  while (position !== -1) {
    const start = position + begin.length
    const stop = text.indexOf(end, start)
    if (stop === -1) throw notASignature('its armor does not end')
    blocks.push(decodeArmor(text.slice(start, stop)))
    position = text.indexOf(begin, stop + end.length)
  }
  return blocks
}

function decodeArmor(inside: string): Uint8Array {
  const lines = inside.split('\n').map((line) => line.trim())
  const base64 = lines
    .filter((line) => !/^[A-Za-z]+:/.test(line) && !/^=[A-Za-z0-9+/]{4}$/.test(line))
    .join('')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw notASignature('its armor holds more than base64')
  return Buffer.from(base64, 'base64')
}

/** @see RFC 9580, 4.2 */
function* readPackets(bytes: Uint8Array): Generator<Packet> {
  let position = 0
  while (position < bytes.length) {
    const { tag, start, length } = readHeader(bytes, position)
    const stop = start + length
    if (stop > bytes.length) throw notASignature('it is cut short')
    yield { tag, bytes: bytes.subarray(position, stop), body: bytes.subarray(start, stop) }
    position = stop
  }
}

function readHeader(bytes: Uint8Array, position: number): { tag: number; start: number; length: number } {
  const first = byteAt(bytes, position)
  if ((first & 0x80) === 0) throw notASignature('a packet does not begin where it should')
  return (first & 0x40) === 0
    ? readLegacyHeader(bytes, position, first)
    : readModernHeader(bytes, position, first)
}

function readLegacyHeader(bytes: Uint8Array, position: number, first: number) {
  const lengthType = first & 3
  // Type 3 means "to the end of the file", which only data packets use.
  if (lengthType === 3) throw notASignature('a packet has no length')
  const octets = 1 << lengthType
  return {
    tag: (first >> 2) & 15,
    start: position + 1 + octets,
    length: readNumber(bytes, position + 1, octets),
  }
}

function readModernHeader(bytes: Uint8Array, position: number, first: number) {
  const tag = first & 63
  const one = byteAt(bytes, position + 1)
  if (one < 192) return { tag, start: position + 2, length: one }
  if (one < 224) {
    return { tag, start: position + 3, length: ((one - 192) << 8) + byteAt(bytes, position + 2) + 192 }
  }
  if (one === 255) return { tag, start: position + 6, length: readNumber(bytes, position + 2, 4) }
  throw notASignature('a packet comes in parts')
}

function readNumber(bytes: Uint8Array, position: number, octets: number): number {
  let number = 0
  for (let index = 0; index < octets; index++) number = number * 256 + byteAt(bytes, position + index)
  return number
}

function byteAt(bytes: Uint8Array, position: number): number {
  const byte = bytes[position]
  if (byte === undefined) throw notASignature('it is cut short')
  return byte
}
