import type { ByteSource } from '../core/bytes.ts'
import { ChantalError } from '../core/errors.ts'

/**
 * The source's bytes, of which there may be `maxSize` at most. No byte beyond the limit is given.
 * @throws ChantalError `SIZE_LIMIT`; `what` names the bytes in the message ("decompressed xz data")
 */
export async function* limitSize(source: ByteSource, maxSize: number, what: string): ByteSource {
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    if (size > maxSize) {
      throw new ChantalError('SIZE_LIMIT', `${what}: more than ${maxSize} bytes`, {
        hint: 'If so much is expected here, raise the limit in the configuration.',
        details: { limit_bytes: maxSize },
      })
    }
    yield chunk
  }
}
