import { formatNevra, parseNevra } from './nevra.ts'
import { readYamlTree, type YamlNode, yamlValue } from './yaml-tree.ts'

/** Where a document stands in the stream (from 0) and its own bytes, separator lines included. */
interface Place {
  readonly index: number
  readonly text: string
}

export interface ModuleStream extends Place {
  readonly kind: 'stream'
  /** `null` where the document does not say; such a document names no stream that a client could enable. */
  readonly name: string | null
  /** As written: `2.10` is not `2.1`. */
  readonly stream: string | null
  readonly version: string | null
  readonly context: string | null
  readonly architecture: string | null
  readonly staticContext: boolean | null
  /** Streams of other modules that it needs at run time, `perl:5.26`, in order; without the platform, which all of a repository share. */
  readonly requires: readonly string[]
  /** NEVRAs with the epoch explicit: `nodejs-1:8.11.4-1.module_2030.x86_64`. */
  readonly artifacts: readonly string[]
}

export interface ModuleNote extends Place {
  readonly kind: 'defaults' | 'obsoletes' | 'translations'
  readonly module: string
  readonly stream: string | null
  readonly context: string | null
}

export type ModuleDocument =
  | ModuleStream
  | ModuleNote
  /** What a packager wrote for the build system; says nothing about packages here. */
  | (Place & { readonly kind: 'packager' })
  /** A document type of a later day: kept as it is. */
  | (Place & { readonly kind: 'unknown'; readonly type: string })
  /** Not readable; upstream's own copy keeps it, generated metadata does not. */
  | (Place & { readonly kind: 'broken'; readonly message: string })

/**
 * Splits modules.yaml into its documents; their texts joined are the input (but for a byte order mark).
 * Never throws: what cannot be read is a `broken` document.
 * @see libmodulemd, `yaml_specs`
 */
export function readModules(text: string): readonly ModuleDocument[] {
  return splitDocuments(text.replace(/^\uFEFF/, '')).map((part, index) => readDocument(part, index))
}

/**
 * For each artifact, by NEVRA with the epoch explicit, the module streams that it belongs to: `name:stream`, and what the stream needs where
 * it was built against several others (`perl-DBI:1.641 perl:5.26`): those builds stand side by side, and none is an update of another.
 */
export function moduleStreamsOf(
  documents: readonly ModuleDocument[],
): ReadonlyMap<string, readonly string[]> {
  const streams = new Map<string, Set<string>>()
  for (const document of documents) {
    if (document.kind !== 'stream' || document.name === null || document.stream === null) continue
    const name = [`${document.name}:${document.stream}`, ...document.requires].join(' ')
    for (const artifact of document.artifacts) {
      const known = streams.get(artifact)
      if (known) known.add(name)
      else streams.set(artifact, new Set([name]))
    }
  }
  return new Map([...streams].map(([artifact, names]) => [artifact, [...names]]))
}

/** The NEVRA with its epoch explicit, 0 where it has none. What is no NEVRA at all is given back unchanged. */
export function withEpoch(artifact: string): string {
  const nevra = parseNevra(artifact)
  return nevra ? formatNevra(nevra) : artifact
}

/**
 * `---` and `...` at the start of a line end a document even inside a block scalar, so lines are enough.
 * Comments and directives ahead of `---` belong to the document they introduce, what trails the last one to that.
 */
function splitDocuments(text: string): readonly string[] {
  const parts: string[] = []
  let start = 0
  let seen = 0
  let hasContent = false
  for (const { 0: marker, index } of text.matchAll(/^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm)) {
    hasContent ||= holdsContent(text.slice(seen, index))
    seen = index + marker.length
    if (marker === '---') {
      if (hasContent) {
        parts.push(text.slice(start, index))
        start = index
      }
      hasContent = true
    } else if (hasContent) {
      const end = endOfLine(text, index)
      parts.push(text.slice(start, end))
      start = end
      hasContent = false
    }
  }
  const rest = text.slice(start)
  if (hasContent || holdsContent(text.slice(seen))) parts.push(rest)
  else if (rest !== '' && parts.length > 0) parts.push(`${parts.pop() ?? ''}${rest}`)
  return parts
}

function holdsContent(text: string): boolean {
  return /^(?!%)[ \t]*[^#\s]/m.test(text)
}

function endOfLine(text: string, from: number): number {
  const lineEnd = text.indexOf('\n', from)
  return lineEnd < 0 ? text.length : lineEnd + 1
}

/** What makes a document unreadable, as one sentence without its end. */
class Unreadable extends Error {}

function readDocument(text: string, index: number): ModuleDocument {
  const reading = readYamlTree(text)
  if (reading.state === 'invalid') return { kind: 'broken', index, text, message: reading.reason }
  if (reading.state === 'empty') return { kind: 'broken', index, text, message: 'holds nothing' }
  try {
    return interpret(reading.root, { index, text })
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { kind: 'broken', index, text, message: error.message }
  }
}

function interpret(root: YamlNode, place: Place): ModuleDocument {
  const type = textAt(root, 'document')
  if (type === null) throw new Unreadable('does not say which `document` it is')
  const formatVersion = textAt(root, 'version')
  const supported = formatsRead.get(type)
  if (!supported) return { kind: 'unknown', ...place, type }
  if (!supported.versions.includes(formatVersion ?? '')) {
    throw new Unreadable(`is ${type} of version ${formatVersion ?? '(none)'}, which is not known`)
  }
  if (supported.kind === 'packager') return { kind: 'packager', ...place }
  const data = nodeAt(root, 'data')
  if (data?.kind !== 'mapping') throw new Unreadable('has no `data`')
  if (supported.kind === 'stream') {
    return {
      kind: 'stream',
      ...place,
      name: textAt(data, 'name'),
      stream: textAt(data, 'stream'),
      version: textAt(data, 'version'),
      context: textAt(data, 'context'),
      architecture: textAt(data, 'arch'),
      staticContext: booleanOf(textAt(data, 'static_context')),
      requires: requirementsOf(data),
      artifacts: artifactsOf(data),
    }
  }
  const module = textAt(data, 'module')
  if (module === null) throw new Unreadable('does not name its `module`')
  return {
    kind: supported.kind,
    ...place,
    module,
    stream: textAt(data, 'stream'),
    context: textAt(data, 'context'),
  }
}

interface Format {
  readonly kind: 'stream' | 'packager' | ModuleNote['kind']
  readonly versions: readonly string[]
}

const formatsRead: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['modulemd', { kind: 'stream', versions: ['1', '2'] }],
  ['modulemd-stream', { kind: 'stream', versions: ['1', '2'] }],
  ['modulemd-packager', { kind: 'packager', versions: ['2', '3'] }],
  ['modulemd-defaults', { kind: 'defaults', versions: ['1'] }],
  ['modulemd-obsoletes', { kind: 'obsoletes', versions: ['1'] }],
  ['modulemd-translations', { kind: 'translations', versions: ['1'] }],
])

/** What cannot be understood says nothing: no document is worth less for it. */
function requirementsOf(data: YamlNode): readonly string[] {
  const dependencies = nodeAt(data, 'dependencies')
  const alternatives = dependencies?.kind === 'sequence' ? dependencies.items : [dependencies]
  const required = alternatives.flatMap((alternative) => {
    const requires = yamlValue(alternative, 'requires')
    if (requires === null || requires === 'twice' || requires.kind !== 'mapping') return []
    return requires.entries.flatMap(({ key, value }) => {
      if (key.kind !== 'scalar' || key.value === 'platform') return []
      const streams = value.kind === 'sequence' ? value.items : [value]
      return streams.flatMap((stream) => (stream.kind === 'scalar' ? [`${key.value}:${stream.value}`] : []))
    })
  })
  return [...new Set(required)].sort()
}

function artifactsOf(data: YamlNode): readonly string[] {
  const artifacts = nodeAt(data, 'artifacts')
  const rpms = nodeAt(artifacts, 'rpms')
  if (rpms === null || (rpms.kind === 'scalar' && ['', '~', 'null'].includes(rpms.value))) return []
  if (rpms.kind !== 'sequence') throw new Unreadable('has `artifacts.rpms` that are no list')
  return rpms.items.map((item) => {
    if (item.kind !== 'scalar') throw new Unreadable('has an artifact that is no text')
    return withEpoch(item.value)
  })
}

function nodeAt(node: YamlNode | null, key: string): YamlNode | null {
  const value = yamlValue(node, key)
  if (value === 'twice') throw new Unreadable(`has \`${key}\` twice`)
  return value
}

function textAt(node: YamlNode, key: string): string | null {
  const value = nodeAt(node, key)
  if (value === null) return null
  if (value.kind !== 'scalar') throw new Unreadable(`has a \`${key}\` that is no text`)
  return value.value === '' ? null : value.value
}

function booleanOf(text: string | null): boolean | null {
  if (text === null) return null
  return /^(?:true|yes|on)$/i.test(text)
}
