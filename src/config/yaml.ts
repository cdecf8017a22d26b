import {
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml'
import type { DocumentNode, MappingEntry, MappingNode, Place, SequenceNode } from './document.ts'
import { at, type Mistake } from './mistakes.ts'

export interface YamlFile {
  /** As it is shown in messages. */
  readonly file: string
  /** Absolute. */
  readonly folder: string
  readonly text: string
}

/** What a file of this many parts, with what aliases repeat, stops at. */
const maxNodes = 1_000_000

/**
 * Reads one YAML document and keeps where everything stands. Of plain scalars only `null`, `true`, `false` and integers in
 * their shortest spelling get a type: a version such as `1.10` or `007` stays the text it is. Merge keys (`<<`) work; other
 * tags than `!!str` do not.
 * @returns `null` for an empty document. What is wrong goes to `mistakes`.
 */
export function parseYaml(source: YamlFile, mistakes: Mistake[]): DocumentNode | null {
  const text = source.text.replace(/^\uFEFF/, '')
  const placeAt = placeFinder({ ...source, text })
  const wrong = (place: Place, problem: string, hint?: string): null => {
    mistakes.push({ place, path: '', problem, ...(hint && { hint }) })
    return null
  }
  let events: Event[]
  try {
    events = parseEvents(text, {})
  } catch (error) {
    // The exception holds the whole input, secrets included: only its reason and position go on.
    if (!(error instanceof YAMLException)) return wrong(placeAt(0), 'cannot be read as YAML')
    return wrong(placeAt(error.mark?.position ?? 0), `not valid YAML: ${error.reason}`)
  }
  const documents = events.filter((event) => event.type === EVENT_ID.DOCUMENT).length
  if (documents > 1) return wrong(placeAt(0), 'holds several YAML documents; one is expected')
  return new Builder(text, events, placeAt, wrong).build()
}

type Wrong = (place: Place, problem: string, hint?: string) => null
type Frame = { readonly anchor: string | null } & (
  | { readonly node: SequenceNode }
  | {
      readonly node: MappingNode
      key: { name: string | null; place: Place } | null
      readonly merged: DocumentNode[]
    }
)

class Builder {
  readonly #text: string
  readonly #events: readonly Event[]
  readonly #placeAt: (offset: number) => Place
  readonly #wrong: Wrong
  readonly #frames: Frame[] = []
  readonly #anchors = new Map<string, DocumentNode>()
  #root: DocumentNode | null = null
  #nodes = 0

  constructor(text: string, events: readonly Event[], placeAt: (offset: number) => Place, wrong: Wrong) {
    this.#text = text
    this.#events = events
    this.#placeAt = placeAt
    this.#wrong = wrong
  }

  build(): DocumentNode | null {
    for (const event of this.#events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          break
        case EVENT_ID.SCALAR:
          this.#scalar(event)
          break
        case EVENT_ID.SEQUENCE:
          this.#frames.push({
            anchor: this.#anchorOf(event),
            node: { kind: 'sequence', place: this.#placeAt(event.start), items: [] },
          })
          break
        case EVENT_ID.MAPPING:
          this.#frames.push({
            anchor: this.#anchorOf(event),
            node: { kind: 'mapping', place: this.#placeAt(event.start), entries: new Map() },
            key: null,
            merged: [],
          })
          break
        case EVENT_ID.ALIAS:
          this.#alias(event.anchorStart, event.anchorEnd)
          break
        case EVENT_ID.POP:
          this.#close()
          break
      }
      if (this.#nodes > maxNodes) return this.#wrong(this.#placeAt(0), 'aliases repeat too much')
    }
    return this.#root
  }

  #scalar(event: ScalarEvent): void {
    const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
    const place = this.#placeAt(Math.max(0, event.valueStart - (quoted ? 1 : 0)))
    const tag = event.tagStart === -1 ? null : this.#text.slice(event.tagStart, event.tagEnd)
    if (tag !== null && tag !== '!!str' && tag !== '!') this.#wrong(place, `the tag ${tag} is not known`)
    const text = getScalarValue(this.#text, event)
    const value = event.style === SCALAR_STYLE.PLAIN && tag === null ? plainValue(text) : text
    const frame = this.#frames.at(-1)
    if (frame && 'key' in frame && frame.key === null) {
      frame.key = { name: text, place }
      return
    }
    const node: DocumentNode = { kind: 'scalar', place, value }
    const anchor = this.#anchorOf(event)
    if (anchor !== null) this.#anchors.set(anchor, node)
    this.#add(node)
  }

  #alias(start: number, end: number): void {
    const name = this.#text.slice(start, end)
    const place = this.#placeAt(start - 1)
    const node = this.#anchors.get(name)
    if (!node) this.#wrong(place, `the alias *${name} has no anchor before it`)
    this.#add(node ? this.#copy(node) : { kind: 'scalar', place, value: null })
  }

  #close(): void {
    const frame = this.#frames.pop()
    if (!frame) return
    if ('merged' in frame) for (const source of frame.merged) this.#merge(frame.node, source)
    if (frame.anchor !== null) this.#anchors.set(frame.anchor, frame.node)
    this.#add(frame.node)
  }

  #add(node: DocumentNode): void {
    this.#nodes += 1
    const frame = this.#frames.at(-1)
    if (!frame) {
      this.#root ??= node
      return
    }
    if (!('key' in frame)) {
      frame.node.items.push({ index: frame.node.items.length, node })
      return
    }
    const { key } = frame
    if (key === null) {
      // A collection where a key belongs: remembered so that its value is not taken for one.
      this.#wrong(node.place, 'a key must be text')
      frame.key = { name: null, place: node.place }
      return
    }
    frame.key = null
    if (key.name === null) return
    if (key.name === '<<') {
      frame.merged.push(node)
      return
    }
    const earlier = frame.node.entries.get(key.name)
    if (earlier)
      this.#wrong(
        key.place,
        `the key ${JSON.stringify(key.name)} stands here twice, first at ${at(earlier.keyPlace)}`,
      )
    else frame.node.entries.set(key.name, { keyPlace: key.place, node })
  }

  #merge(target: MappingNode, source: DocumentNode): void {
    if (source.kind === 'sequence') for (const item of source.items) this.#merge(target, item.node)
    else if (source.kind === 'mapping') {
      for (const [key, entry] of source.entries) if (!target.entries.has(key)) target.entries.set(key, entry)
    } else this.#wrong(source.place, '<< takes a mapping')
  }

  /** Aliases are copied: what is translated in one place must not change the other. */
  #copy(node: DocumentNode): DocumentNode {
    this.#nodes += 1
    if (node.kind === 'scalar' || this.#nodes > maxNodes) return node
    if (node.kind === 'sequence') {
      return {
        ...node,
        items: node.items.map(({ index, node: item }) => ({ index, node: this.#copy(item) })),
      }
    }
    const entries = [...node.entries].map(([key, entry]): [string, MappingEntry] => [
      key,
      { ...entry, node: this.#copy(entry.node) },
    ])
    return { ...node, entries: new Map(entries) }
  }

  #anchorOf(event: { readonly anchorStart: number; readonly anchorEnd: number }): string | null {
    return event.anchorStart === -1 ? null : this.#text.slice(event.anchorStart, event.anchorEnd)
  }
}

function plainValue(text: string): string | number | boolean | null {
  if (/^(~|null|Null|NULL|)$/.test(text)) return null
  if (/^(true|True|TRUE)$/.test(text)) return true
  if (/^(false|False|FALSE)$/.test(text)) return false
  if (/^(0|-?[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  return text
}

function placeFinder({ file, folder, text }: YamlFile): (offset: number) => Place {
  const starts = [0]
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { file, folder, line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}
