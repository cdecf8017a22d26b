import { InputBuffer } from '../../../codec/input-buffer.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { chunkSize } from './chunk-gatherer.ts'

/**
 * Splits a document into records without leaving out a byte: put together they are the source. Time is linear, memory
 * bounded by the largest record. Records are views, valid until the next batch is asked for.
 * @param what names the document in errors
 * @param endOfRecord where the record that starts at `from` ends; negative where that end is not at hand
 * @throws ChantalError `SIZE_LIMIT` for a record much larger than 16 MiB
 */
export async function* splitRecords(
  source: ByteSource,
  what: string,
  endOfRecord: (bytes: Buffer, from: number) => number,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  await using input = new InputBuffer(source)
  let wanted = chunkSize
  for (;;) {
    await input.fill(wanted)
    const bytes = Buffer.from(input.bytes.buffer, input.bytes.byteOffset, input.bytes.byteLength)
    const records: Buffer[] = []
    let start = 0
    for (let end = endOfRecord(bytes, 0); end >= 0; end = endOfRecord(bytes, start)) {
      records.push(bytes.subarray(start, end))
      start = end
    }
    const rest = bytes.subarray(start)
    if (input.isComplete) {
      if (rest.length > 0) records.push(rest)
      if (records.length > 0) yield records
      return
    }
    if (rest.length > maxRecordSize) {
      throw new ChantalError('SIZE_LIMIT', `${what}: a part of more than ${maxRecordSize} bytes`, {
        details: { limit_bytes: maxRecordSize },
      })
    }
    if (records.length > 0) yield records
    input.skip(start)
    // What has no end yet is searched again only when there is twice as much of it.
    wanted = Math.max(chunkSize, 2 * rest.length)
  }
}

const maxRecordSize = 16 * 1024 * 1024

/**
 * For {@link splitRecords}: a stanza with the empty line after it. As apt does, only an empty line ends a stanza, be it with
 * carriage returns; one of blanks goes on with the field above it. Further empty lines belong to the next stanza.
 */
export function endOfStanza(bytes: Buffer, from: number): number {
  let at = from
  while (isLineBreak(bytes[at])) at += 1
  for (;;) {
    const lineEnd = bytes.indexOf(lineFeed, at)
    if (lineEnd < 0) return -1
    at = lineEnd + 1
    while (bytes[at] === carriageReturn) at += 1
    if (bytes[at] === lineFeed) return at + 1
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

function isLineBreak(byte: number | undefined): boolean {
  return byte === lineFeed || byte === carriageReturn
}
