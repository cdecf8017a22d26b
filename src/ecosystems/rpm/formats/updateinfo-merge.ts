import { childrenOf, childText, type XmlElement, type XmlRecord } from '../../../codec/xml.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { type ChantalError, isChantalError } from '../../../core/errors.ts'
import { advisoryCollections, parseAdvisoryDate, readUpdateinfo } from './updateinfo.ts'

/**
 * Makes one updateinfo.xml of several: every advisory once, by its id. Of one that several documents have, the words are those of the
 * last update, and references and packages those of all: who looks for a CVE must find it whatever the last wording names, and collections
 * stand beside one another, as repositories that are put together have them.
 * Advisories of one document alone are passed on as they come; the shared ones are held in memory.
 * @param documents each may be asked for its decompressed bytes twice. A single one is passed on unread
 * @param leaveOut told of each of several that cannot be read, or is too large to: the others are united without it
 */
export async function* mergeUpdateinfo<Document extends UpdateinfoDocument>(
  documents: readonly Document[],
  leaveOut: (document: Document, error: ChantalError) => void,
): ByteSource {
  const [only] = documents
  if (only && documents.length === 1) {
    yield* only.open()
    return
  }
  const { readable, shared } = await survey(documents, leaveOut)
  const held = new Map<string, XmlRecord[]>()
  yield Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n')
  for (const { open } of readable) {
    for await (const record of advisoriesOf(open())) {
      const id = idOf(record)
      if (!shared.has(id)) {
        yield Buffer.from(`  ${record.text}\n`)
        continue
      }
      const known = held.get(id)
      if (known) known.push(record)
      else held.set(id, [record])
    }
  }
  for (const records of held.values()) yield Buffer.from(`  ${joined(records)}\n`)
  yield Buffer.from('</updates>\n')
}

interface UpdateinfoDocument {
  readonly open: () => ByteSource
}

/** Those that can be read to their ends, and the ids that occur more than once, in one of them or in several. */
async function survey<Document extends UpdateinfoDocument>(
  documents: readonly Document[],
  leaveOut: (document: Document, error: ChantalError) => void,
): Promise<{ readonly readable: readonly Document[]; readonly shared: ReadonlySet<string> }> {
  const readable: Document[] = []
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const document of documents) {
    try {
      // What one says before it breaks off must not count.
      const own: string[] = []
      for await (const record of advisoriesOf(document.open())) own.push(idOf(record))
      for (const id of own) {
        if (seen.has(id)) shared.add(id)
        seen.add(id)
      }
      readable.push(document)
    } catch (error) {
      if (!isChantalError(error, 'UPSTREAM_INVALID', 'SIZE_LIMIT')) throw error
      leaveOut(document, error)
    }
  }
  return { readable, shared }
}

async function* advisoriesOf(source: ByteSource): AsyncGenerator<XmlRecord> {
  for await (const part of readUpdateinfo(source))
    if (part.kind === 'record' && part.element.name === 'update') yield part
}

function idOf({ element }: XmlRecord): string {
  return childText(element, 'id') ?? ''
}

function joined(records: readonly XmlRecord[]): string {
  const [newest, ...others] = [...records].sort((a, b) => updatedAt(b) - updatedAt(a))
  if (!newest) throw new Error('no advisory to join')
  const lists = [
    { name: 'references', added: missingOf(referencesOf, newest, others) },
    { name: 'pkglist', added: missingOf(collectionsOf, newest, others) },
  ]
  return withEntries(newest, lists).trim()
}

interface Entry {
  /** Of equal entries the same. */
  readonly key: string
  readonly text: string
}

/** What others list and the newest does not, each once. */
function missingOf(
  entriesOf: (record: XmlRecord) => readonly Entry[],
  newest: XmlRecord,
  others: readonly XmlRecord[],
): readonly string[] {
  const known = new Set(entriesOf(newest).map(({ key }) => key))
  const added: string[] = []
  for (const { key, text } of others.flatMap(entriesOf)) {
    if (known.has(key)) continue
    known.add(key)
    added.push(text)
  }
  return added
}

/** Titles and addresses of one and the same bug or CVE differ from wording to wording. */
function referencesOf({ element, text }: XmlRecord): readonly Entry[] {
  return childrenOf(element, 'references')
    .flatMap((list) => childrenOf(list, 'reference'))
    .map(({ attributes, start, end }) => ({
      key: `${attributes.get('type') ?? ''} ${attributes.get('id') || attributes.get('href')}`,
      text: text.slice(start, end),
    }))
}

/** As written, so that what is equal is told from what is not. */
function collectionsOf({ element, text }: XmlRecord): readonly Entry[] {
  return advisoryCollections(element).map(({ collection }) => {
    const written = text.slice(collection.start, collection.end)
    return { key: written, text: written }
  })
}

function updatedAt({ element }: XmlRecord): number {
  const dates = ['updated', 'issued'].flatMap((name) => childrenOf(element, name))
  const [date] = dates.flatMap((one) => parseAdvisoryDate(one.attributes.get('date') ?? one.text) ?? [])
  return date?.getTime() ?? 0
}

/** The record with more entries behind those of each list, and with lists that it lacks. */
function withEntries(
  { element, text }: XmlRecord,
  lists: readonly { readonly name: string; readonly added: readonly string[] }[],
): string {
  const changes = lists.flatMap(({ name, added }) => {
    if (added.length === 0) return []
    const [own] = childrenOf(element, name)
    return [{ name, own, entries: added.map((entry) => `${entry}\n`).join('') }]
  })
  const { start, end } = element
  const missing = changes.filter(({ own }) => own === undefined)
  const made = missing.map(({ name, entries }) => `<${name}>\n${entries}</${name}>\n`).join('')
  let changed = made === '' ? text : inside(text.slice(0, end), element.name, made)
  // From behind, so that what is in front keeps its place.
  const filled = changes.flatMap(({ name, own, entries }) => (own ? [{ name, own, entries }] : []))
  for (const { name, own, entries } of filled.sort((a, b) => b.own.start - a.own.start))
    changed =
      changed.slice(0, own.start) +
      inside(changed.slice(own.start, own.end), name, entries) +
      changed.slice(own.end)
  return changed.slice(start)
}

function inside(text: string, name: XmlElement['name'], added: string): string {
  if (text.endsWith('/>')) return `${text.slice(0, -2).trimEnd()}>\n${added}</${name}>`
  const end = text.lastIndexOf('</')
  return text.slice(0, end) + added + text.slice(end)
}
