import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { ChunkGatherer } from './chunk-gatherer.ts'

/**
 * Makes one Contents index of several that are each in order: line by line, in that order. A path that several have comes with the packages
 * of each, and a line that several have comes once. A header, which older archives put in front, is left out: it is in no order.
 * @throws ChantalError `SIZE_LIMIT` for a line above 1 MiB
 * @see https://wiki.debian.org/DebianRepository/Format#A.22Contents.22_indices
 */
export async function* mergeContents(sources: readonly ByteSource[]): ByteSource {
  const readers = sources.map((source) => linesOf(source))
  const output = new ChunkGatherer()
  try {
    const heads: { line: string; reader: AsyncGenerator<string> }[] = []
    for (const reader of readers) {
      const { done, value } = await reader.next()
      if (!done) heads.push({ line: value, reader })
    }
    let last: string | null = null
    while (heads.length > 0) {
      const [first, ...rest] = heads
      if (!first) break
      const least = rest.reduce((best, head) => (head.line < best.line ? head : best), first)
      const full = least.line === last ? null : output.add(Buffer.from(`${least.line}\n`, 'latin1'))
      if (full) yield full
      last = least.line
      const { done, value } = await least.reader.next()
      if (done) heads.splice(heads.indexOf(least), 1)
      else least.line = value
    }
    const rest = output.rest()
    if (rest) yield rest
  } finally {
    for (const reader of readers) await reader.return(undefined)
  }
}

const maxLineSize = 1024 * 1024

/** Older archives' headers are a page of text. */
const maxHeaderSize = 64 * 1024

/** One character a byte. Without a header, and without blank lines. */
async function* linesOf(source: ByteSource): AsyncGenerator<string> {
  let pending = ''
  let isBeyondHeader = false
  for await (const chunk of source) {
    pending += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    if (!isBeyondHeader && pending.length < maxHeaderSize) continue
    if (!isBeyondHeader) pending = withoutHeader(pending)
    isBeyondHeader = true
    const lines = pending.split('\n')
    pending = lines.pop() ?? ''
    if (pending.length > maxLineSize)
      throw new ChantalError('SIZE_LIMIT', 'Contents: a line of more than 1 MiB')
    for (const line of lines) if (line !== '') yield line
  }
  const rest = isBeyondHeader ? pending : withoutHeader(pending)
  for (const line of rest.split('\n')) if (line !== '') yield line
}

/** No package is called LOCATION, so the line with the titles of the columns is no entry. */
function withoutHeader(start: string): string {
  const titles = /^FILE[ \t]+LOCATION[ \t\r]*(\n|$)/m.exec(start)
  return titles ? start.slice(titles.index + titles[0].length) : start
}
