import { dump } from 'js-yaml'
import { compress } from '../codec/compression.ts'
import type { ByteSource } from '../core/bytes.ts'
import type { ExportFormat } from './export-format.ts'
import { type ExportHeader, type ExportItem, itemsMember } from './export-schema.ts'

/** Bytes that are handed on together. */
const pieceSize = 64 * 1024

/**
 * An export's bytes: equal header and items give equal bytes. JSON is one document with a line for each item, YAML a document for the
 * header and one for each item.
 */
export function writeExport(
  format: ExportFormat,
  header: ExportHeader,
  items: AsyncIterable<ExportItem>,
): ByteSource {
  const text = format.document === 'json' ? jsonText(header, items) : yamlText(header, items)
  const bytes = inPieces(text)
  return format.compression === 'none' ? bytes : compress(format.compression, bytes)
}

async function* jsonText(header: ExportHeader, items: AsyncIterable<ExportItem>): AsyncGenerator<string> {
  const head = JSON.stringify(header)
  yield `${head.slice(0, -1)},${JSON.stringify(itemsMember)}:[`
  let separator = '\n'
  for await (const item of items) {
    yield `${separator}${JSON.stringify(item)}`
    separator = ',\n'
  }
  yield '\n]}\n'
}

async function* yamlText(header: ExportHeader, items: AsyncIterable<ExportItem>): AsyncGenerator<string> {
  // Lines are never folded: what upstream said is easier to find as it said it.
  const options = { lineWidth: -1, noRefs: true }
  yield `---\n${dump(header, options)}`
  for await (const item of items) yield `---\n${dump(item, options)}`
}

async function* inPieces(texts: AsyncIterable<string>): ByteSource {
  let piece: string[] = []
  let size = 0
  for await (const text of texts) {
    piece.push(text)
    size += text.length
    if (size < pieceSize) continue
    yield Buffer.from(piece.join(''))
    piece = []
    size = 0
  }
  yield Buffer.from(piece.join(''))
}
