import { glob, readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { DocumentNode, MappingNode, Place } from './document.ts'
import { at, type Mistake } from './mistakes.ts'
import { type Environment, expandVariables } from './variables.ts'
import { parseYaml } from './yaml.ts'

/** What the process brings along; nothing here is read behind the caller's back. */
export interface Surroundings {
  /** Of `--config`; `null` without. */
  readonly file: string | null
  readonly environment: Environment
  /** The user's home; `null` where there is none. */
  readonly home: string | null
  /** Absolute; what relative file names of the command line start from. */
  readonly workingFolder: string
}

/** The files of a configuration as one document. */
export interface ConfigurationFiles {
  readonly root: MappingNode
  /** Absolute, the main one first. */
  readonly files: readonly string[]
  /** `include` patterns that match no file. */
  readonly emptyIncludes: readonly { readonly place: Place; readonly pattern: string }[]
}

/** Configurations of more than this are no configurations. */
const maxFileBytes = 32 * 2 ** 20

/**
 * The main file: `--config`, else `CHANTAL_CONFIG`, else the first that exists of `/etc/chantal/config.yaml`,
 * `~/.config/chantal/config.yaml` and `./config.yaml`. As it was named.
 * @throws ChantalError `CONFIG_MISSING` naming where it was looked for
 */
export async function findConfiguration({
  file,
  environment,
  home,
  workingFolder,
}: Surroundings): Promise<string> {
  const named = file ?? (environment['CHANTAL_CONFIG'] || null)
  const candidates =
    named === null
      ? [
          '/etc/chantal/config.yaml',
          ...(home === null ? [] : [join(home, '.config/chantal/config.yaml')]),
          './config.yaml',
        ]
      : [named]
  for (const candidate of candidates) {
    const found = await stat(resolve(workingFolder, candidate)).catch(() => null)
    if (found?.isFile()) return candidate
  }
  throw new ChantalError(
    'CONFIG_MISSING',
    named === null ? 'no configuration file' : `no configuration file ${named}`,
    {
      hint: `Looked for ${candidates.join(', ')}. Name one with --config or CHANTAL_CONFIG.`,
      details: { searched: candidates },
    },
  )
}

/**
 * Reads the main file and what it includes, sorted by name, into one document.
 * @param translate applied to each file before it is merged
 */
export async function readConfiguration(
  main: string,
  surroundings: Surroundings,
  translate: (root: DocumentNode) => void,
  mistakes: Mistake[],
): Promise<ConfigurationFiles> {
  const files: string[] = []
  const emptyIncludes: { place: Place; pattern: string }[] = []
  const mainPath = resolve(surroundings.workingFolder, main)
  const root: MappingNode = {
    kind: 'mapping',
    place: { file: main, folder: dirname(mainPath), line: 1, column: 1 },
    entries: new Map(),
  }
  await read(main, mainPath, [])
  return { root, files, emptyIncludes }

  async function read(
    shown: string,
    absolute: string,
    includers: readonly string[],
    from?: Place,
  ): Promise<void> {
    const start: Place = { file: shown, folder: dirname(absolute), line: 1, column: 1 }
    if (includers.includes(absolute)) {
      mistakes.push({
        place: from ?? start,
        path: 'include',
        problem: `${shown} includes itself, by way of what it includes`,
      })
      return
    }
    if (files.includes(absolute)) return
    files.push(absolute)
    const text = await readText(absolute)
    if (typeof text !== 'string') {
      mistakes.push({ place: from ?? start, path: '', problem: `cannot read ${shown}: ${text.problem}` })
      return
    }
    const parsed = parseYaml({ file: shown, folder: dirname(absolute), text }, mistakes)
    if (parsed === null || (parsed.kind === 'scalar' && parsed.value === null)) return
    if (parsed.kind !== 'mapping') {
      mistakes.push({ place: parsed.place, path: '', problem: 'expected keys and values' })
      return
    }
    const document = expandVariables(parsed, surroundings.environment, mistakes)
    translate(document)
    if (document.kind !== 'mapping') return
    const include = document.entries.get('include')
    document.entries.delete('include')
    merge(root, document, '', mistakes)
    for (const { pattern, place } of patternsOf(include?.node, mistakes)) {
      const matches = await matching(pattern, start.folder)
      if (matches.length === 0) emptyIncludes.push({ place, pattern })
      for (const match of matches) {
        await read(
          isAbsolute(match) ? match : join(dirname(shown), match),
          resolve(start.folder, match),
          [...includers, absolute],
          place,
        )
      }
    }
  }
}

/** Lists of repositories and views follow one another; sections unite; a key that both have is a mistake. */
function merge(target: MappingNode, source: MappingNode, path: string, mistakes: Mistake[]): void {
  for (const [key, entry] of source.entries) {
    const below = path === '' ? key : `${path}.${key}`
    const there = target.entries.get(key)
    if (!there) target.entries.set(key, entry)
    else if (there.node.kind === 'mapping' && entry.node.kind === 'mapping')
      merge(there.node, entry.node, below, mistakes)
    else if (
      (below === 'repositories' || below === 'views') &&
      there.node.kind === 'sequence' &&
      entry.node.kind === 'sequence'
    ) {
      there.node.items.push(...entry.node.items)
    } else {
      mistakes.push({
        place: entry.keyPlace,
        path: below,
        problem: `the key ${JSON.stringify(key)} is given twice, first at ${at(there.keyPlace)}`,
      })
    }
  }
}

function patternsOf(
  node: DocumentNode | undefined,
  mistakes: Mistake[],
): readonly { pattern: string; place: Place }[] {
  if (!node || (node.kind === 'scalar' && node.value === null)) return []
  const items = node.kind === 'sequence' ? node.items.map((item) => item.node) : [node]
  return items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string')
      return [{ pattern: item.value, place: item.place }]
    mistakes.push({ place: item.place, path: 'include', problem: 'expected a pattern of files' })
    return []
  })
}

async function matching(pattern: string, folder: string): Promise<readonly string[]> {
  if (!/[*?[{]/.test(pattern)) return [pattern]
  const found: string[] = []
  for await (const match of glob(pattern, { cwd: folder })) found.push(match)
  return found.sort()
}

/** A text file of bounded size, or why it cannot be read; never with what is in it. */
export async function readText(file: string): Promise<string | { readonly problem: string }> {
  const bytes = await readBounded(file)
  return 'problem' in bytes ? bytes : new TextDecoder().decode(bytes)
}

export async function readBounded(file: string): Promise<Uint8Array | { readonly problem: string }> {
  try {
    const { size } = await stat(file)
    if (size > maxFileBytes) return { problem: `larger than ${maxFileBytes} bytes` }
    return await readFile(file)
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return { problem: 'there is no such file' }
    if (hasSystemCode(error, 'EACCES', 'EPERM')) return { problem: 'not allowed to read it' }
    if (hasSystemCode(error, 'EISDIR')) return { problem: 'it is a folder' }
    return { problem: error instanceof Error && 'code' in error ? String(error.code) : 'unreadable' }
  }
}
