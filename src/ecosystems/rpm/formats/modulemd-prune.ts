import {
  type ModuleDocument,
  type ModuleNote,
  type ModuleStream,
  readModules,
  withEpoch,
} from './modulemd.ts'
import { readYamlTree, type YamlEntry, type YamlNode, type YamlScalar, yamlValue } from './yaml-tree.ts'

export interface PrunedModules {
  /** What to publish; `null` where nothing is left: an empty modules.yaml is not published. */
  readonly text: string | null
  /** False: `text` is the input, byte for byte. */
  readonly changed: boolean
  /** Streams left out because none of their artifacts is published: `name:stream:version:context:architecture`. */
  readonly droppedStreams: readonly string[]
  /** Documents left out because they cannot be read, or not be edited without a doubt. */
  readonly warnings: readonly ModuleWarning[]
}

export interface ModuleWarning {
  /** Which document of the stream, from 0. */
  readonly index: number
  readonly message: string
}

/**
 * Makes modules.yaml speak of published packages alone: artifacts that are not published go, line by line; a stream that had
 * artifacts and keeps none goes, with its obsoletes and translations; defaults, obsoletes and translations of a module go
 * with its last stream. A stream that upstream lists without artifacts stays, and so do notes on modules of which upstream
 * lists no stream. Everything else stays as written. Never throws.
 * @param published asked with NEVRAs whose epoch is explicit
 */
export function pruneModules(text: string, published: (nevra: string) => boolean): PrunedModules {
  const documents = readModules(text)
  const warnings: ModuleWarning[] = []
  const droppedStreams: string[] = []
  const kept = new Map<ModuleDocument, string>()
  for (const document of documents) {
    if (document.kind === 'broken') {
      warnings.push({ index: document.index, message: document.message })
    } else if (document.kind === 'stream') {
      const pruned = pruneStream(document, published)
      if (pruned === 'empty') droppedStreams.push(streamId(document))
      else if (pruned === 'uneditable') {
        warnings.push({ index: document.index, message: `lists artifacts in a form that cannot be edited` })
      } else kept.set(document, pruned)
    } else if (document.kind === 'packager' || document.kind === 'unknown') kept.set(document, document.text)
  }
  const streams = streamCensus(documents, kept)
  const texts: string[] = []
  let changed = false
  for (const document of documents) {
    const isNote =
      document.kind === 'defaults' || document.kind === 'obsoletes' || document.kind === 'translations'
    const own = isNote ? (noteStands(document, streams) ? document.text : undefined) : kept.get(document)
    if (own !== document.text) changed = true
    if (own !== undefined) texts.push(own)
  }
  if (texts.length === 0) return { text: null, changed: true, droppedStreams, warnings }
  return { text: changed ? joinDocuments(texts) : text, changed, droppedStreams, warnings }
}

/** Names upstream lists, and those of them that are left: modules as `name`, streams as `name:stream` and `name:stream:context`. */
interface StreamCensus {
  readonly listed: ReadonlySet<string>
  readonly left: ReadonlySet<string>
}

function streamCensus(
  documents: readonly ModuleDocument[],
  kept: ReadonlyMap<ModuleDocument, string>,
): StreamCensus {
  const listed = new Set<string>()
  const left = new Set<string>()
  for (const document of documents) {
    if (document.kind !== 'stream') continue
    const { name, stream, context } = document
    for (const id of [name, `${name}:${stream}`, `${name}:${stream}:${context}`]) {
      if (id === null) continue
      listed.add(id)
      if (kept.has(document)) left.add(id)
    }
  }
  return { listed, left }
}

/** A module's defaults may name a stream that is gone; clients then take none by default, as they should. */
function noteStands(note: ModuleNote, { listed, left }: StreamCensus): boolean {
  const { module, stream, context } = note
  const ids = [module]
  if (note.kind !== 'defaults' && stream !== null) {
    ids.push(`${module}:${stream}`)
    if (context !== null) ids.push(`${module}:${stream}:${context}`)
  }
  return ids.every((id) => left.has(id) || !listed.has(id))
}

function pruneStream(
  document: ModuleStream,
  published: (nevra: string) => boolean,
): string | 'empty' | 'uneditable' {
  const { artifacts, text } = document
  const remaining = artifacts.filter((nevra) => published(nevra))
  if (remaining.length === artifacts.length) return text
  if (remaining.length === 0) return 'empty'
  const wanted = new Set(remaining)
  const edited = removeArtifacts(text, wanted)
  return edited !== null && saysOnly(edited, document, remaining) ? edited : 'uneditable'
}

function removeArtifacts(text: string, wanted: ReadonlySet<string>): string | null {
  const reading = readYamlTree(text)
  if (reading.state !== 'read') return null
  const artifacts = child(child(reading.root, 'data'), 'artifacts')
  const rpms = child(artifacts, 'rpms')
  if (rpms?.kind !== 'sequence') return null
  const isGone = (item: YamlNode): boolean => item.kind !== 'scalar' || !wanted.has(withEpoch(item.value))
  const edits = [...mapEdits(text, artifacts, wanted)]
  const lines = rpms.flow ? null : rpms.items.filter(isGone).map((item) => itemLine(text, item))
  if (lines?.every((line) => line !== null)) edits.push(...lines)
  else {
    const left = rpms.items.filter((item): item is YamlScalar => item.kind === 'scalar' && !isGone(item))
    const list = left.map((item) =>
      rpms.flow ? text.slice(item.start, item.end) : JSON.stringify(item.value),
    )
    // Behind a blank, so that it is indented deeper than its key even where the list was not.
    edits.push({ start: rpms.start, end: rpms.end, text: `${rpms.flow ? '' : ' '}[${list.join(', ')}]` })
  }
  return applyEdits(text, edits)
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The line that holds `- item` and nothing else but a comment; `null` where there is more or less on it. */
function itemLine(text: string, item: YamlNode): Edit | null {
  const start = text.lastIndexOf('\n', item.start - 1) + 1
  const end = lineEndAfter(text, item.end)
  if (!/^ *-[ \t]+$/.test(text.slice(start, item.start))) return null
  if (!/^[ \t]*(?:[ \t]#[^\n]*)?\r?\n?$/.test(text.slice(item.end, end))) return null
  if (text.slice(item.start, item.end).includes('\n')) return null
  return { start, end, text: '' }
}

/** `rpm-map` may only name artifacts that are listed: entries of the others go, and with its last entry a map. */
function mapEdits(text: string, artifacts: YamlNode | null, wanted: ReadonlySet<string>): readonly Edit[] {
  if (artifacts?.kind !== 'mapping' || artifacts.flow) return []
  const whole = artifacts.entries.find(isRpmMap)
  if (whole?.value.kind !== 'mapping') return []
  // Not by lines then; the map is optional.
  if (whole.value.flow || whole.value.entries.some(isFlow)) return [entryLines(text, whole)]
  const digests = whole.value.entries.map((digest) => {
    const entries = digest.value.kind === 'mapping' ? digest.value.entries : []
    return { digest, entries, gone: entries.filter((entry) => !wanted.has(nevraIn(entry.value))) }
  })
  if (digests.every(({ entries, gone }) => gone.length === entries.length)) return [entryLines(text, whole)]
  return digests.flatMap(({ digest, entries, gone }) =>
    (gone.length === entries.length ? [digest] : gone).map((entry) => entryLines(text, entry)),
  )
}

function isRpmMap({ key }: YamlEntry): boolean {
  return key.kind === 'scalar' && key.value === 'rpm-map'
}

function isFlow({ value }: YamlEntry): boolean {
  return value.kind === 'mapping' && value.flow
}

function nevraIn(entry: YamlNode): string {
  const nevra = child(entry, 'nevra')
  return nevra?.kind === 'scalar' ? withEpoch(nevra.value) : ''
}

function entryLines(text: string, entry: YamlEntry): Edit {
  return {
    start: text.lastIndexOf('\n', entry.key.start - 1) + 1,
    end: lineEndAfter(text, entry.value.end),
    text: '',
  }
}

function lineEndAfter(text: string, from: number): number {
  const lineEnd = text.indexOf('\n', from)
  return lineEnd < 0 ? text.length : lineEnd + 1
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = []
  let at = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, Math.max(at, edit.start)), edit.text)
    at = Math.max(at, edit.end)
  }
  return parts.join('') + text.slice(at)
}

/** Whether the edited text reads as the same stream with exactly `remaining`: the edit is judged by what it says, not by how it was made. */
function saysOnly(edited: string, before: ModuleStream, remaining: readonly string[]): boolean {
  const [after, ...more] = readModules(edited)
  return (
    more.length === 0 &&
    after?.kind === 'stream' &&
    streamId(after) === streamId(before) &&
    after.artifacts.length === remaining.length &&
    after.artifacts.every((nevra, index) => nevra === remaining[index])
  )
}

function streamId({ name, stream, version, context, architecture }: ModuleStream): string {
  return [name, stream, version, context, architecture].map((part) => part ?? '').join(':')
}

/**
 * A document that starts without `---`, or with a directive, needs the one before it to have ended with `...`; that
 * may have gone with a document between them.
 */
export function joinDocuments(texts: readonly string[]): string {
  const parts: string[] = []
  for (const text of texts) {
    const before = parts.at(-1)
    if (before !== undefined && !before.endsWith('\n')) parts.push('\n')
    if (before !== undefined && !standsAlone(text) && !/^\.\.\.[ \t\r]*\n?$/m.test(lastLine(before)))
      parts.push('...\n')
    parts.push(text)
  }
  return parts.join('')
}

/** Whether a `---` begins it, if behind empty lines and comments. One line at a time: there may be millions of them ahead of it. */
function standsAlone(text: string): boolean {
  for (let start = 0; start < text.length; ) {
    const end = lineEndAfter(text, start)
    const line = text.slice(start, end)
    if (/^---(?:[ \t\r\n]|$)/.test(line)) return true
    if (!/^[ \t]*(?:#[^\n]*|\r)?\n$/.test(line)) return false
    start = end
  }
  return false
}

function lastLine(text: string): string {
  const trimmed = text.endsWith('\n') ? text.length - 2 : text.length - 1
  return text.slice(text.lastIndexOf('\n', trimmed) + 1)
}

function child(node: YamlNode | null, key: string): YamlNode | null {
  const value = yamlValue(node, key)
  return value === 'twice' ? null : value
}
