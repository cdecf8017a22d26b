import { hash } from 'node:crypto'
import { parseRelativePath } from '../../core/path.ts'
import type { EarlierTree } from '../../core/publication.ts'
import { DocumentNotes } from './document-notes.ts'
import { type DocumentPiece, DocumentWriter } from './document-writer.ts'
import { type EntryPage, entryIdBytes } from './entry-ids.ts'
import { RunCollector } from './run-collector.ts'
import type { RunFormat } from './run-format.ts'

/** An entry of a document, by its key. Equal content has an equal id. */
export type Entries = ReadonlyMap<string, string>

export interface MadeDocument {
  readonly bytes: Buffer
  /** SHA-256 of the document before compression, and its size, as the writer counted them. */
  readonly open: { readonly hex: string; readonly size: number }
  readonly notes: readonly string[]
  /** The document as the next one finds it. */
  readonly tree: EarlierTree
  /** Entries that were made, and not taken from the earlier document. */
  readonly made: number
}

const documentPath = parseRelativePath('document')

/** Of which runs are seldom whole in one page. */
const pageEntries = 37

/** Writes a document with a header and a footer around its entries, page by page. */
export async function makeDocument(
  entries: Entries,
  {
    earlier = null,
    format = 'gzip',
    average = 8,
    recipe = 'recipe',
  }: { earlier?: EarlierTree | null; format?: RunFormat; average?: number; recipe?: string } = {},
): Promise<MadeDocument> {
  const notes = DocumentNotes.open(recipe, earlier)
  const before = notes.earlier('document', format)
  const runs = new RunCollector(average, before)
  let made = 0
  async function* pieces(): AsyncGenerator<DocumentPiece> {
    yield Buffer.from(`<${entries.size}>\n`)
    for (const listed of pagesOf([...entries])) {
      const page = pageOf(listed)
      const positions = runs.findAll(page)
      for (let index = 0; index < listed.length; ) {
        const position = positions[index] ?? -1
        const repeated = position < 0 ? 0 : runs.repeatRun(page, index, position)
        if (position < 0) made += 1
        if (repeated === 0)
          await (position < 0
            ? runs.add(page, index, Buffer.from(listed[index]?.[1] ?? ''), 0x0a)
            : runs.repeat(page, index, position))
        index += Math.max(repeated, 1)
        const run = runs.isEnded ? await runs.take() : null
        if (run) yield run
      }
    }
    const last = await runs.take()
    if (last) yield last
    yield Buffer.from('</>\n')
  }
  const writer = new DocumentWriter(format, before)
  const chunks: Uint8Array[] = []
  for await (const chunk of writer.pass(pieces())) chunks.push(Uint8Array.from(chunk))
  const bytes = Buffer.concat(chunks)
  const { open, start, notes: lines } = writer.finish()
  notes.add({ name: 'document', format, ids: runs.ids, path: documentPath, start, notes: lines })
  return {
    bytes,
    open: { hex: open.checksum.hex, size: open.size },
    notes: notes.lines(),
    tree: treeOf(bytes, notes.lines()),
    made,
  }
}

/** A tree of one file, each range of which is a copy. */
export function treeOf(bytes: Uint8Array, notes: readonly string[]): EarlierTree {
  return {
    notes,
    async read(path, range) {
      if (path !== documentPath) return null
      if (!range) return bytes
      if (range.start + range.size > bytes.byteLength) return null
      return Uint8Array.from(bytes.subarray(range.start, range.start + range.size))
    },
  }
}

export function textOf(entries: Entries): string {
  return [`<${entries.size}>`, ...entries.values(), '</>', ''].join('\n')
}

function* pagesOf<Entry>(entries: readonly Entry[]): Generator<readonly Entry[]> {
  for (let start = 0; start < entries.length; start += pageEntries)
    yield entries.slice(start, start + pageEntries)
}

function pageOf(entries: readonly (readonly [key: string, text: string])[]): EntryPage {
  const ids = entries.map((entry) =>
    hash('sha256', JSON.stringify(entry), 'buffer').subarray(0, entryIdBytes),
  )
  return { keys: entries.map(([key]) => key), ids: Buffer.concat(ids) }
}
