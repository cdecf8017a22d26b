import { InputBuffer } from '../../../codec/input-buffer.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'

export interface ArMember {
  /** Without the `/` that some writers end it with. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** Its bytes, until the next member is asked for. May be left unread. */
  readonly body: ByteSource
}

const magic = '!<arch>\n'
const headerSize = 60
const bodyChunk = 64 * 1024

/**
 * The members of an ar archive in order, of the simple kind that .deb files are: names of 16 characters at most. Each step reads a
 * header at least, so no archive is read without end.
 * @param archiveSize of the whole archive, in bytes: a member that claims more than is left is refused before it is read
 * @throws ChantalError `UPSTREAM_INVALID`; the source's own error unchanged
 * @see deb(5); ar(5)
 */
export async function* readAr(
  source: ByteSource,
  archiveSize: number,
): AsyncGenerator<ArMember, void, undefined> {
  await using input = new InputBuffer(source)
  await input.fill(magic.length)
  if (latin1(input.bytes.subarray(0, magic.length)) !== magic)
    throw invalidAr(
      `it begins with ${found(input.bytes.subarray(0, magic.length))}, expected ${found(magic)}`,
    )
  input.skip(magic.length)
  for (let position = magic.length; position < archiveSize; ) {
    await input.fill(headerSize)
    const header = latin1(input.bytes.subarray(0, headerSize))
    const { name, size } = parseHeader(header, position)
    input.skip(headerSize)
    position += headerSize
    if (size > archiveSize - position)
      throw invalidAr(`member ${name} says it has ${size} bytes where ${archiveSize - position} are left`)
    const member = new Member(input, name, size)
    yield { name, size, body: member.read() }
    await member.skipRest()
    position += size
    if (size % 2 === 1) {
      await input.fill(1)
      input.skip(1)
      position += 1
    }
  }
}

/** 16 characters of name, 12 of time, 6 and 6 of owner and group, 8 of mode, 10 of size, and an end mark of two. */
function parseHeader(header: string, position: number): { readonly name: string; readonly size: number } {
  if (header.length < headerSize) throw invalidAr(`it ends within a header, at byte ${position}`)
  if (!header.endsWith('`\n')) throw invalidAr(`there is no member header at byte ${position}`)
  const name = header.slice(0, 16).trimEnd().replace(/\/$/, '')
  const digits = header.slice(48, 58).trimEnd()
  if (!/^\d+$/.test(digits))
    throw invalidAr(`member ${found(name)} has the size ${found(digits)}, expected decimal digits`)
  if (!/^[\x21-\x7e]+$/.test(name)) throw invalidAr(`a member at byte ${position} is called ${found(name)}`)
  return { name, size: Number(digits) }
}

class Member {
  readonly #input: InputBuffer
  readonly #name: string
  #left: number

  constructor(input: InputBuffer, name: string, size: number) {
    this.#input = input
    this.#name = name
    this.#left = size
  }

  async *read(): ByteSource {
    while (this.#left > 0) yield Uint8Array.from(await this.#take())
  }

  async skipRest(): Promise<void> {
    while (this.#left > 0) await this.#take()
  }

  /** @returns a view that is valid until more is read */
  async #take(): Promise<Uint8Array> {
    await this.#input.fill(Math.min(this.#left, bodyChunk))
    const taken = this.#input.bytes.subarray(0, this.#left)
    if (taken.byteLength === 0) throw invalidAr(`it ends within member ${this.#name}`)
    this.#input.skip(taken.byteLength)
    this.#left -= taken.byteLength
    return taken
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function found(what: Uint8Array | string): string {
  return JSON.stringify(typeof what === 'string' ? what : latin1(what))
}

function invalidAr(reason: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a sound ar archive: ${reason}`, {
    hint: 'Whoever built or copied this file did it wrongly; get it anew.',
  })
}
