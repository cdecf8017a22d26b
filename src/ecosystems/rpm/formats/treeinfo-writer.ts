import { type IniLine, type IniSections, iniLines, readIni } from './ini.ts'
import { isElsewhere, isRepodata, listOf, repositoryOf } from './treeinfo.ts'

/**
 * The treeinfo of a generated tree: upstream's, line by line, without what is not in that tree: checksums of repository metadata, and
 * the variants and add-ons whose repositories lie anywhere but at its top. Their sections go, and their names in every list: anaconda fails on a
 * variant that is listed and has no repository, or no section. It fails as well where no variant is left; then the main one stays, with the
 * repository at the top.
 * @see productmd, `productmd/treeinfo.py`; anaconda, `pyanaconda/modules/payloads/payload/dnf/tree_info.py`
 */
export function writeGeneratedTreeinfo(text: string): string {
  const sections = readIni(text)
  const moved = new Set([...sections].flatMap(([name, values]) => (isMoved(name, values) ? [name] : [])))
  const main = mainOf(sections, moved)
  return [...iniLines(text)].map((line) => rewriteLine(line, { sections, moved, main })).join('')
}

interface Tree {
  readonly sections: IniSections
  /** Names of the sections whose repository is not at the top of the tree. */
  readonly moved: ReadonlySet<string>
  /** The one of them that stays all the same; `null` where others do. */
  readonly main: string | null
}

function isMoved(name: string, values: ReadonlyMap<string, string>): boolean {
  const hasRepository = name === 'general' || /^(?:variant|addon)-/.test(name)
  return hasRepository && isElsewhere(repositoryOf(values.get('repository')))
}

function mainOf(sections: IniSections, moved: ReadonlySet<string>): string | null {
  const listed = listOf(sections.get('tree')?.get('variants')).map((id) => `variant-${id}`)
  if (listed.some((name) => !moved.has(name))) return null
  const named = `variant-${sections.get('general')?.get('variant')}`
  return (listed.includes(named) ? named : listed[0]) ?? null
}

/** Empty where the line goes. */
function rewriteLine(line: IniLine, tree: Tree): string {
  const { text, section, key } = line
  if (section === null) return text
  const isAtTop = section === 'general' || section === tree.main
  if (tree.moved.has(section) && !isAtTop) return ''
  if (key === null) return text
  if (section === 'checksums') return isRepodata(key) ? '' : text
  if (tree.moved.has(section) && key === 'repository') return rewrite(line, '.')
  // Of packages that are not in the tree either. Readers take the repository's folder instead.
  if (tree.moved.has(section) && /^package(?:s|dirs?)$/.test(key)) return ''
  if (!isListOfVariants(section, key)) return text
  const ids = listOf(tree.sections.get(section)?.get(key))
  const kept = ids.filter((id) => !isDropped(id, section, tree))
  if (kept.length === ids.length) return text
  return kept.length === 0 ? '' : rewrite(line, kept.join(','))
}

function rewrite({ text, key, isContinued }: IniLine, value: string): string {
  return isContinued ? '' : `${key} = ${value}${/\r?\n$/.exec(text)?.[0] ?? ''}`
}

function isListOfVariants(section: string, key: string): boolean {
  if (section === 'tree') return key === 'variants'
  return (key === 'variants' || key === 'addons') && (section === 'general' || section.startsWith('variant-'))
}

/** Older trees list add-ons without the variant that they belong to, or name their sections so. */
function isDropped(id: string, listedIn: string, { sections, moved, main }: Tree): boolean {
  const parent =
    listedIn === 'general' ? sections.get('general')?.get('variant') : listedIn.replace(/^variant-/, '')
  const names = [id, `${parent}-${id}`, id.slice(id.lastIndexOf('-') + 1)]
  const section = names
    .flatMap((name) => [`variant-${name}`, `addon-${name}`])
    .find((name) => sections.has(name))
  return section !== undefined && section !== main && moved.has(section)
}
