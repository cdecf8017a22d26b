import type { ByteSource } from '../core/bytes.ts'
import type { ChantalError } from '../core/errors.ts'
import { InputBuffer } from './input-buffer.ts'
import { invalidData } from './invalid-data.ts'

export interface TarEntry {
  /** As the archive writes it: it may be absolute or lead out of a folder. */
  readonly name: string
  /** `other`: a device, a FIFO, and what is newer than this reader. */
  readonly type: 'file' | 'directory' | 'link' | 'other'
  /** In bytes. */
  readonly size: number
  /** Its bytes, until the next entry is asked for. May be left unread. */
  readonly body: ByteSource
}

const blockSize = 512
/** Bytes that a long name or the records before an entry may take. */
const longestExtension = 1024 ** 2
const bodyChunk = 64 * 1024

/**
 * The entries of a tar archive in order: of ustar, with the long names of GNU and of pax. Ends at the archive's end mark, or where the
 * source ends between two entries. What is never asked for is read past, so the source has to be bounded.
 * @throws ChantalError `UPSTREAM_INVALID` (`details.format` is `tar`); the source's own error unchanged
 * @see POSIX.1-2024, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"
 */
export async function* readTar(source: ByteSource): AsyncGenerator<TarEntry, void, undefined> {
  await using input = new InputBuffer(source)
  let extension: Extension = {}
  while (true) {
    await input.fill(blockSize)
    if (input.length === 0) return
    if (input.length < blockSize) throw invalidData('tar', 'truncated', 'within a header')
    const header = parseHeader(Buffer.from(input.bytes.subarray(0, blockSize)))
    if (header === null) return
    input.skip(blockSize)
    if (isExtension(header.flag)) {
      extension = { ...extension, ...(await readExtension(input, header)) }
      continue
    }
    const { name = header.name, size = header.size } = extension
    extension = {}
    const member = new Member(input, size)
    yield { name, type: typeOf(header.flag), size, body: member.read() }
    await member.finish()
  }
}

/** What precedes an entry and overrules its header. */
interface Extension {
  readonly name?: string
  readonly size?: number
}

interface Header {
  readonly name: string
  readonly size: number
  readonly flag: string
}

/** @returns `null` for a block of zeros, which ends an archive */
function parseHeader(block: Buffer): Header | null {
  if (block.every((byte) => byte === 0)) return null
  const stated = octal(block.subarray(148, 156))
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (stated !== sum) throw corrupt('a header does not match its checksum')
  const name = text(block.subarray(0, 100))
  // GNU's own format has other fields where ustar has the folder.
  const folder = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block.subarray(345, 500)) : ''
  return {
    name: folder === '' ? name : `${folder}/${name}`,
    size: sizeOf(block.subarray(124, 136)),
    flag: block.toString('latin1', 156, 157),
  }
}

/** Octal digits, or (GNU) a binary number after a first bit that is set. */
function sizeOf(field: Buffer): number {
  const [first = 0] = field
  if ((first & 0x80) === 0) return octal(field)
  const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, first & 0x7f)
  if (!Number.isSafeInteger(value)) throw corrupt('an entry has an impossible size')
  return value
}

function octal(field: Buffer): number {
  const digits = text(field).trim()
  if (!/^[0-7]*$/.test(digits)) throw corrupt(`${JSON.stringify(digits)} is no octal number`)
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function text(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? field.byteLength : end)
}

function typeOf(flag: string): TarEntry['type'] {
  if (flag === '0' || flag === '\0' || flag === '7') return 'file'
  if (flag === '5') return 'directory'
  return flag === '1' || flag === '2' ? 'link' : 'other'
}

/** `L` and `K` are long names and link targets of GNU; `x` and `g` are records of pax, for the next entry or for all. */
function isExtension(flag: string): boolean {
  return flag === 'L' || flag === 'K' || flag === 'x' || flag === 'g'
}

async function readExtension(input: InputBuffer, { flag, size }: Header): Promise<Extension> {
  if (size > longestExtension) throw corrupt(`a name or record takes ${size} bytes`)
  const member = new Member(input, size)
  const chunks: Uint8Array[] = []
  for await (const chunk of member.read()) chunks.push(chunk)
  await member.finish()
  const body = Buffer.concat(chunks)
  if (flag === 'L') return { name: text(body) }
  return flag === 'x' ? parsePaxRecords(body) : {}
}

/** Records are `LENGTH KEY=VALUE\n`, their length in bytes included. */
function parsePaxRecords(body: Buffer): Extension {
  let extension: Extension = {}
  for (let at = 0; at < body.byteLength; ) {
    const space = body.indexOf(0x20, at)
    const digits = space === -1 ? '' : body.toString('latin1', at, space)
    const end = at + Number(digits)
    if (!/^[1-9]\d{0,8}$/.test(digits) || end > body.byteLength || body[end - 1] !== 0x0a || end <= space + 1)
      throw corrupt('a pax record has a wrong length')
    const record = body.toString('utf8', space + 1, end - 1)
    const equals = record.indexOf('=')
    const [key, value] = [record.slice(0, Math.max(equals, 0)), record.slice(equals + 1)]
    if (key === 'path') extension = { ...extension, name: value }
    if (key === 'size') extension = { ...extension, size: paxSize(value) }
    at = end
  }
  return extension
}

function paxSize(value: string): number {
  const size = Number(value)
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(size)) throw corrupt('an entry has an impossible size')
  return size
}

/** The bytes of one entry, which are filled up to whole blocks. */
class Member {
  readonly #input: InputBuffer
  #left: number
  readonly #padding: number

  constructor(input: InputBuffer, size: number) {
    this.#input = input
    this.#left = size
    this.#padding = (blockSize - (size % blockSize)) % blockSize
  }

  async *read(): ByteSource {
    while (this.#left > 0) yield Uint8Array.from(await this.#take(this.#left))
  }

  /** Passes over what was not read. */
  async finish(): Promise<void> {
    this.#left += this.#padding
    while (this.#left > 0) await this.#take(this.#left)
  }

  /** @returns a view that is valid until more is read */
  async #take(wanted: number): Promise<Uint8Array> {
    await this.#input.fill(Math.min(wanted, bodyChunk))
    const taken = this.#input.bytes.subarray(0, wanted)
    if (taken.byteLength === 0) throw invalidData('tar', 'truncated', 'within an entry')
    this.#input.skip(taken.byteLength)
    this.#left -= taken.byteLength
    return taken
  }
}

function corrupt(reason: string): ChantalError {
  return invalidData('tar', 'corrupt', reason)
}
