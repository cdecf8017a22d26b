import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml'

/**
 * A YAML value and where it stands: `start` and `end` are offsets into the text, end-exclusive, quotes and brackets
 * included. Scalars are the text as written (`2.10` stays `2.10`). Aliases are not followed.
 */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping | YamlAlias

interface Span {
  readonly start: number
  readonly end: number
}

export interface YamlScalar extends Span {
  readonly kind: 'scalar'
  readonly value: string
}

export interface YamlSequence extends Span {
  readonly kind: 'sequence'
  readonly flow: boolean
  readonly items: readonly YamlNode[]
}

export interface YamlMapping extends Span {
  readonly kind: 'mapping'
  readonly flow: boolean
  readonly entries: readonly YamlEntry[]
}

export interface YamlAlias extends Span {
  readonly kind: 'alias'
}

export interface YamlEntry {
  readonly key: YamlNode
  readonly value: YamlNode
}

export type YamlReading =
  | { readonly state: 'read'; readonly root: YamlNode }
  | { readonly state: 'empty' }
  | { readonly state: 'invalid'; readonly reason: string }

/** Reads the one document that `text` holds, without types: every scalar is its text. */
export function readYamlTree(text: string): YamlReading {
  const reading = readTree(text)
  if (reading.state !== 'invalid') return reading
  const indented = indentClosingQuotes(text)
  return indented === text ? reading : readTree(indented)
}

/**
 * libyaml writes and reads text that ends with a line break with its closing quote at the beginning of a line, though the specification
 * wants it indented. Blanks take the place of the line breaks before it, so that every offset stays; no other value of a block can begin
 * there.
 */
function indentClosingQuotes(text: string): string {
  let indented = ''
  let done = 0
  for (const { index } of text.matchAll(/\n'(?=[ \t]*\r?(?:\n|$))/g)) {
    const quote = index + 1
    const end = text.slice(done, quote).trimEnd().length + done
    indented += text.slice(done, end) + ' '.repeat(quote - end)
    done = quote
  }
  return indented + text.slice(done)
}

function readTree(text: string): YamlReading {
  try {
    const events = parseEvents(text, {})
    const documents = events.filter((event) => event.type === EVENT_ID.DOCUMENT).length
    if (documents > 1) return { state: 'invalid', reason: 'holds several documents' }
    const root = buildTree(text, events)
    return root ? { state: 'read', root } : { state: 'empty' }
  } catch (error) {
    // The exception carries the whole input; only its reason goes on. Escapes are judged as late as in the tree.
    return {
      state: 'invalid',
      reason: error instanceof YAMLException ? error.reason : 'cannot be read as YAML',
    }
  }
}

/**
 * The value under `key`.
 * @returns `null` where `node` is no mapping or has no such key; `'twice'` where it has the key more than once
 */
export function yamlValue(node: YamlNode | null, key: string): YamlNode | null | 'twice' {
  if (node?.kind !== 'mapping') return null
  const found = node.entries.filter((entry) => entry.key.kind === 'scalar' && entry.key.value === key)
  if (found.length > 1) return 'twice'
  return found[0]?.value ?? null
}

interface Open {
  readonly kind: 'document' | 'sequence' | 'mapping'
  readonly start: number
  readonly flow: boolean
  readonly children: YamlNode[]
}

function buildTree(text: string, events: readonly Event[]): YamlNode | null {
  const open: Open[] = []
  let last = 0
  let root: YamlNode | null = null
  const add = (node: YamlNode): void => {
    last = Math.max(last, node.end)
    open.at(-1)?.children.push(node)
  }
  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        open.push({ kind: 'document', start: 0, flow: false, children: [] })
        break
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const kind = event.type === EVENT_ID.SEQUENCE ? 'sequence' : 'mapping'
        open.push({ kind, start: event.start, flow: event.style === COLLECTION_STYLE.FLOW, children: [] })
        if (event.style === COLLECTION_STYLE.FLOW) last = Math.max(last, event.start + 1)
        break
      }
      case EVENT_ID.SCALAR: {
        const quoted =
          event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
        // A value that is not there (`key:`) has no place of its own.
        const start = event.valueStart < 0 ? last : event.valueStart - (quoted ? 1 : 0)
        const end = event.valueEnd < 0 ? last : event.valueEnd + (quoted ? 1 : 0)
        const value = event.valueStart < 0 ? '' : getScalarValue(text, event)
        add({ kind: 'scalar', value, start, end })
        break
      }
      case EVENT_ID.ALIAS:
        add({ kind: 'alias', start: event.anchorStart - 1, end: event.anchorEnd })
        break
      case EVENT_ID.POP: {
        const closed = open.pop()
        if (!closed) break
        if (closed.kind === 'document') root = closed.children[0] ?? null
        else add(collection(text, closed, last))
        break
      }
    }
  }
  return root
}

function collection(text: string, closed: Open, last: number): YamlNode {
  const { kind, start, flow, children } = closed
  const end = flow ? endOfFlow(text, last) : Math.max(start, last)
  if (kind === 'sequence') return { kind, start, end, flow, items: children }
  const entries: YamlEntry[] = []
  for (let index = 0; index + 1 < children.length; index += 2) {
    const [key, value] = [children[index], children[index + 1]]
    if (key && value) entries.push({ key, value })
  }
  return { kind: 'mapping', start, end, flow, entries }
}

/** Behind the bracket that closes the collection whose last part ended at `from`; only blanks, commas and comments lie between. */
function endOfFlow(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const character = text.charAt(at)
    if (character === ']' || character === '}') return at + 1
    if (character === '#') {
      const lineEnd = text.indexOf('\n', at)
      at = lineEnd < 0 ? text.length : lineEnd
    } else at += 1
  }
  return at
}
