import { childrenOf, childText, decodeXml, type XmlElement } from '../../../codec/xml.ts'
import { readCompsRoot } from './comps.ts'

/**
 * Makes one comps.xml of several: every group, category, environment and language pack once, by its id. Of one that several documents have,
 * the first says what it is called and how it is shown, and its lists get what the others add. Everything is as written;
 * a single document is given back as it is.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` above 32 MiB each
 * @see libcomps, `comps.rng`
 */
export function mergeComps(documents: readonly Uint8Array[]): Uint8Array {
  const [only] = documents
  if (only && documents.length === 1) return only
  const parts = new Map<string, MergedElement>()
  for (const [index, bytes] of documents.entries()) {
    const text = decodeXml(bytes)
    const root = readCompsRoot(text)
    for (const [position, element] of root.children.entries()) {
      const id = identified.has(element.name) ? childText(element, 'id') : null
      // What has no id cannot be one with anything else, but for the one list of language packs.
      const key =
        element.name === 'langpacks' ? 'langpacks' : `${element.name} ${id ?? `${index} ${position}`}`
      const known = parts.get(key)
      if (known) known.add(element, text)
      else parts.set(key, new MergedElement(element, text))
    }
  }
  const body = [...parts.values()].map((part) => `  ${part.toString()}\n`).join('')
  return Buffer.from(`${header}<comps>\n${body}</comps>\n`)
}

const header =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n'

const identified: ReadonlySet<string> = new Set(['group', 'category', 'environment'])

/** The lists that are joined, and what their entries are called. Language packs are such a list themselves. */
const lists: readonly (readonly [list: string, entry: string])[] = [
  ['packagelist', 'packagereq'],
  ['grouplist', 'groupid'],
  ['optionlist', 'groupid'],
]

/** An element, with what others of its id add to its lists. */
class MergedElement {
  readonly #element: XmlElement
  readonly #text: string
  readonly #added = new Map<string, string[]>()
  readonly #known = new Set<string>()

  constructor(element: XmlElement, text: string) {
    this.#element = element
    this.#text = text
    for (const { list, entry } of entriesOf(element)) this.#known.add(`${list} ${nameOf(entry)}`)
  }

  add(element: XmlElement, text: string): void {
    for (const { list, entry } of entriesOf(element)) {
      const name = `${list} ${nameOf(entry)}`
      if (this.#known.has(name)) continue
      this.#known.add(name)
      const added = this.#added.get(list)
      const written = text.slice(entry.start, entry.end)
      if (added) added.push(written)
      else this.#added.set(list, [written])
    }
  }

  toString(): string {
    const { start, end, name } = this.#element
    let text = this.#text.slice(start, end)
    // From behind, so that what is in front keeps its place.
    const own = lists
      .flatMap(([list]) => childrenOf(this.#element, list).slice(0, 1))
      .sort((a, b) => b.start - a.start)
    for (const list of own) {
      const added = this.#added.get(list.name)
      if (!added) continue
      text =
        text.slice(0, list.start - start) +
        withEntries(text.slice(list.start - start, list.end - start), list.name, added) +
        text.slice(list.end - start)
    }
    const missing = [...this.#added].filter(
      ([list]) => list !== name && !own.some((one) => one.name === list),
    )
    const made = missing.map(([list, added]) => withEntries(`<${list}/>`, list, added))
    const inside = this.#added.get(name) ?? []
    return made.length + inside.length === 0 ? text : withEntries(text, name, [...inside, ...made])
  }
}

/** An element with more children behind those that it has. */
function withEntries(text: string, name: string, entries: readonly string[]): string {
  const added = entries.map((entry) => `  ${entry}\n`).join('')
  if (text.endsWith('/>')) return `${text.slice(0, -2).trimEnd()}>\n${added}</${name}>`
  const end = text.lastIndexOf('</')
  return `${text.slice(0, end)}${added}${text.slice(end)}`
}

function entriesOf(element: XmlElement): readonly { readonly list: string; readonly entry: XmlElement }[] {
  if (element.name === 'langpacks')
    return childrenOf(element, 'match').map((entry) => ({ list: 'langpacks', entry }))
  return lists.flatMap(([list, name]) =>
    childrenOf(element, list).flatMap((one) => childrenOf(one, name).map((entry) => ({ list, entry }))),
  )
}

function nameOf(entry: XmlElement): string {
  return entry.name === 'match' ? (entry.attributes.get('name') ?? '') : entry.text.trim()
}
