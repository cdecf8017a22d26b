import { decompress } from '../codec/compression.ts'
import type { ByteSource } from '../core/bytes.ts'
import { isChantalError } from '../core/errors.ts'
import {
  type ExportHeader,
  type ExportItem,
  exportHeader,
  exportItem,
  exportItems,
  exportVersion,
  itemsMember,
} from './export-schema.ts'
import { importInvalid } from './import-invalid.ts'
import { JsonSplitter } from './json-splitter.ts'
import { YamlSplitter } from './yaml-splitter.ts'

/** An item as it was read, and where it stands: for messages. */
export interface PlacedItem {
  readonly item: ExportItem
  /** `line 12` */
  readonly place: string
  /** In bytes, as it was written. */
  readonly size: number
}

export interface OpenedExport {
  readonly header: ExportHeader
  /** Up to the one that says that the export is complete. Reading ends with an error where that is not there. */
  readonly items: AsyncIterable<PlacedItem>
}

/** Of one item: what a package with millions of files in its native record stays below. */
const limits = { maxValue: 64 * 1024 ** 2, maxDepth: 100 }

/**
 * Reads what `writeExport` wrote, or another program in its place, item by item; memory is bounded by one item. Whether it is
 * compressed is seen from its first bytes.
 * @param document `null` where it is seen from the first byte
 * @throws ChantalError `IMPORT_INVALID` with the line for all that is not as docs/export-format.md says; the source's own error unchanged
 */
export async function openExport(
  source: ByteSource,
  document: 'json' | 'yaml' | null,
): Promise<OpenedExport> {
  const values = readValues(plainBytes(source), document)
  try {
    const first = await values.next()
    if (first.done === true) throw importInvalid('line 1', 'nothing is there')
    return { header: readHeader(first.value), items: readItems(values) }
  } catch (error) {
    await values.return(undefined)
    throw error
  }
}

interface PlacedValue {
  readonly value: unknown
  readonly line: number
  readonly size: number
}

async function* readItems(values: AsyncIterable<PlacedValue>): AsyncGenerator<PlacedItem> {
  let isComplete = false
  for await (const { value, line, size } of values) {
    const place = `line ${line}`
    if (isComplete) throw importInvalid(place, 'an item after the end')
    const item = readItem(value, place)
    isComplete = item.type === 'end'
    yield { item, place, size }
  }
  if (!isComplete) throw importInvalid('the end', 'the export ends before it is complete')
}

function readHeader({ value, line }: PlacedValue): ExportHeader {
  const place = `line ${line}`
  const version =
    typeof value === 'object' && value !== null && 'chantal_export' in value ? value.chantal_export : null
  if (typeof version === 'number' && version > exportVersion) {
    throw importInvalid(place, `an export of version ${version}; this program knows ${exportVersion}`, {
      hint: 'Use the newer version of the program that wrote it.',
    })
  }
  const header = exportHeader.safeParse(value)
  if (header.success) return header.data
  throw importInvalid(place, `not an export: ${explain(header.error.issues)}`, {
    hint: '`chantal db export` makes one.',
  })
}

function readItem(value: unknown, place: string): ExportItem {
  const item = exportItem.safeParse(value)
  if (item.success) return item.data
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : null
  if (typeof type === 'string' && !Object.hasOwn(exportItems, type)) {
    throw importInvalid(place, `no item is of type ${JSON.stringify(type)} in version ${exportVersion}`)
  }
  throw importInvalid(place, explain(item.error.issues))
}

/** The first of what is wrong: where in the item, and what. */
function explain(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const [issue] = issues
  if (!issue) return 'not as it should be'
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  const message = issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
  return path === '' ? message : `${path.replace(/^\./, '')}: ${message}`
}

/** What cannot be decompressed is not upstream's fault here. */
async function* plainBytes(source: ByteSource): ByteSource {
  try {
    yield* decompress(source, { maxSize: Number.POSITIVE_INFINITY })
  } catch (error) {
    if (!isChantalError(error, 'UPSTREAM_INVALID')) throw error
    throw importInvalid('the file', error.message, { cause: error })
  }
}

async function* readValues(
  source: ByteSource,
  document: 'json' | 'yaml' | null,
): AsyncGenerator<PlacedValue> {
  const bytes = source[Symbol.asyncIterator]()
  try {
    const first = await bytes.next()
    if (first.done === true) return
    const rest = { [Symbol.asyncIterator]: () => bytes }
    const isJson = document === null ? beginsAsJson(first.value) : document === 'json'
    yield* isJson ? readJson(first.value, rest) : readYaml(first.value, rest)
  } finally {
    await bytes.return?.()
  }
}

const beginsAsJson = (head: Uint8Array) => /^\s*\{/.test(Buffer.from(head).toString('latin1'))

/** The header is what stands before the items; in a document whose names were sorted, it still does. */
async function* readJson(first: Uint8Array, rest: ByteSource): AsyncGenerator<PlacedValue> {
  const splitter = new JsonSplitter(itemsMember, limits)
  const header = new Map<string, unknown>()
  let isHeaderRead = false
  async function* members() {
    yield* splitter.write(first)
    for await (const chunk of rest) yield* splitter.write(chunk)
    splitter.end()
  }
  for await (const { name, index, value, line, size } of members()) {
    if (index !== null) {
      if (!isHeaderRead) yield { value: Object.fromEntries(header), line: 1, size: 0 }
      isHeaderRead = true
      yield { value, line, size }
      continue
    }
    if (isHeaderRead) throw importInvalid(`line ${line}`, `${JSON.stringify(name)} after the items`)
    if (header.has(name) || header.size > maxHeaderMembers || size > maxHeaderValue)
      throw importInvalid(`line ${line}`, `${JSON.stringify(name)} has no place here`)
    header.set(name, value)
  }
  if (!isHeaderRead) yield { value: Object.fromEntries(header), line: 1, size: 0 }
}

const maxHeaderMembers = 10
const maxHeaderValue = 4096

async function* readYaml(first: Uint8Array, rest: ByteSource): AsyncGenerator<PlacedValue> {
  const splitter = new YamlSplitter(limits)
  yield* splitter.write(first)
  for await (const chunk of rest) yield* splitter.write(chunk)
  yield* splitter.end()
}
