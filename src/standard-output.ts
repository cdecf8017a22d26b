import { fstatSync, writeSync } from 'node:fs'
import { ChantalError, hasSystemCode } from './core/errors.ts'

type Stream = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>

/**
 * Writes all that it is given, or says that it could not. Node's own stream for a file takes a write of which the disk had room for a
 * part for a whole one: a result would be cut off, and the command end well.
 * @throws ChantalError `DISK_FULL`; `NOT_WRITABLE` where the disk fails
 */
export class WholeFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  write(content: string | Uint8Array): boolean {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    try {
      for (let offset = 0; offset < bytes.byteLength; ) offset += writeSync(this.#descriptor, bytes, offset)
    } catch (error) {
      throw explainOutputError(error)
    }
    return true
  }
}

/** What writes to a standard stream: Node's stream, or this program's own where that is a file. */
export function standardOutput<S extends Stream>(stream: S, descriptor: number): S | WholeFile {
  if (stream.isTTY) return stream
  const stat = fstatSync(descriptor)
  return stat.isFile() || stat.isCharacterDevice() ? new WholeFile(descriptor) : stream
}

/** Why standard output takes no more, as a user's error; anything else unchanged. */
function explainOutputError(error: unknown): unknown {
  if (hasSystemCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) {
    return new ChantalError('DISK_FULL', 'no space left where standard output is written to', {
      cause: error,
      hint: 'What is there is not whole. Free space, then run the command again.',
    })
  }
  if (hasSystemCode(error, 'EIO', 'EBADF', 'EPERM')) {
    return new ChantalError('NOT_WRITABLE', 'standard output cannot be written to', { cause: error })
  }
  return error
}
