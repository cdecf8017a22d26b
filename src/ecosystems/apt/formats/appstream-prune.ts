import type { ByteSource } from '../../../core/bytes.ts'
import { ChunkGatherer } from './chunk-gatherer.ts'
import { splitRecords } from './record-splitter.ts'
import type { PruneCounts } from './stanza-prune.ts'

/**
 * Makes a DEP-11 `Components-ARCH.yml` (AppStream metadata of an archive; decompressed) speak of published packages alone.
 * Whole YAML documents go; the rest is verbatim, so where every package is published, so is the whole. The header, which says
 * of which archive it is, stays and is not counted. A document that does not name its package in so many words, as a
 * `Package: name` of its top level, is left out and counted as unreadable. Chunks are some 256 KiB.
 * @param terms.hasHeader `false` leaves the header out: behind another document of the kind there is one
 * @throws ChantalError `SIZE_LIMIT`
 * @see https://www.freedesktop.org/software/appstream/docs/sect-AppStream-YAML.html
 */
export async function* pruneAppstream(
  source: ByteSource,
  keeps: (packageName: string) => boolean,
  terms: { readonly hasHeader: boolean } = { hasHeader: true },
): AsyncGenerator<Uint8Array, PruneCounts, undefined> {
  const counts = { kept: 0, dropped: 0, unreadable: 0 }
  const output = new ChunkGatherer()
  let isFirst = true
  for await (const documents of splitRecords(source, 'Components', endOfDocument)) {
    for (const document of documents) {
      const content = contentOf(document)
      if (content !== null) {
        const isHeader = isFirst && /^File:[ \t]*(["']?)DEP-11\1[ \t\r]*$/m.test(content)
        isFirst = false
        const verdict = isHeader ? 'header' : verdictOn(content, keeps)
        if (verdict === 'header' && !terms.hasHeader) continue
        if (verdict !== 'header') counts[verdict] += 1
        if (verdict === 'dropped' || verdict === 'unreadable') continue
      }
      const full = output.add(document)
      if (full) yield full
    }
  }
  const rest = output.rest()
  if (rest) yield rest
  return counts
}

/** Before the line of the next `---`: at the start of a line it is nothing else, not even within a text block (YAML 1.2, 9.1.2). */
function endOfDocument(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(separator, from)
  while (at >= 0) {
    const after = bytes[at + separator.length]
    if (after === 0x0a || after === 0x0d || after === 0x20 || after === 0x09) return at + 1
    at = bytes.indexOf(separator, at + 1)
  }
  return -1
}

const separator = Buffer.from('\n---')

/**
 * The document as text, `null` where nothing is in it but separators, comments and directives. A carriage return begins a line
 * as well, for YAML and for `^`: what runs past one is read again from each.
 */
function contentOf(document: Buffer): string | null {
  const text = document.toString('latin1')
  return /^(?!---[ \t\r]*$|\.\.\.[ \t\r]*$|%|[ \t]*#)[^\r\n]*[^ \t\r\n]/m.test(text) ? text : null
}

function verdictOn(content: string, keeps: (packageName: string) => boolean): keyof PruneCounts {
  const [named, again] = content.matchAll(/^Package:(?:[ \t]+([^\n]*))?$/gm)
  const name = named?.[1] === undefined ? null : scalarOf(named[1])
  if (name === null || again !== undefined) return 'unreadable'
  return keeps(name) ? 'kept' : 'dropped'
}

/** A name, plain or in quotes; it may be followed by a comment. Names of packages need no escapes. */
function scalarOf(value: string): string | null {
  const [, , name] = /^(["']?)([A-Za-z0-9][A-Za-z0-9+.~_-]*)\1[ \t\r]*(?:[ \t]#.*)?$/.exec(value) ?? []
  return name ?? null
}
