import { SaxesParser, type SaxesTagNS } from 'saxes'
import { ChantalError } from '../../../core/errors.ts'
import { attributesOf, FragmentReader } from './fragment-reader.ts'
import type { Nevra } from './nevra.ts'
import { type RepodataDocument, repodataFooter, repodataHeader } from './repodata-document.ts'

/** Which package an entry of filelists, other or filelists-ext belongs to. */
export interface PackageOwner {
  /** Lower-case, as {@link import('./primary.ts').PrimaryPackage.pkgid}. */
  readonly pkgid: string
  /** `null` where upstream left out the name, the architecture or the version. */
  readonly nevra: Nevra | null
}

/** One line of `rpm:provides`, `rpm:requires` and so on. An absent attribute is `null`. */
export interface Dependency {
  readonly name: string
  /** `EQ`, `LT`, `LE`, `GT`, `GE`; `null` for any version. */
  readonly flags: string | null
  readonly epoch: string | null
  readonly version: string | null
  readonly release: string | null
  /** Needed by a scriptlet: before the package is installed. */
  readonly isPre: boolean
}

export interface PackageFile {
  readonly path: string
  readonly type: 'file' | 'dir' | 'ghost'
}

export interface Changelog {
  readonly author: string
  /** Seconds since 1970; `null` where upstream wrote no number. */
  readonly date: number | null
  readonly text: string
}

export const dependencyKinds = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'recommends',
  'suggests',
  'supplements',
  'enhances',
] as const

export type DependencyKind = (typeof dependencyKinds)[number]

export type PrimaryFormat = { readonly [Kind in DependencyKind]: readonly Dependency[] } & {
  readonly description: string | null
  /** The subset that primary lists: below `/etc/`, in `bin/`, `/usr/lib/sendmail`. */
  readonly files: readonly PackageFile[]
}

/**
 * Reads a plain fragment's owner, quickly.
 * @throws ChantalError `UPSTREAM_INVALID` where `pkgid` is missing
 */
export function parsePackageOwner(fragment: Uint8Array): PackageOwner {
  const reader = new FragmentReader(fragment)
  let owner: ReadonlyMap<string, string> = new Map()
  let version: ReadonlyMap<string, string> = new Map()
  while (reader.next()) {
    if (reader.depth === 0) owner = attributesOf(reader.tag())
    if (reader.depth === 1 && reader.name === 'version') {
      version = attributesOf(reader.tag())
      break
    }
  }
  const name = owner.get('name')
  const pkgid = owner.get('pkgid')
  if (!pkgid) {
    throw new ChantalError('UPSTREAM_INVALID', `repodata: package ${JSON.stringify(name ?? '')} has no pkgid`)
  }
  const architecture = owner.get('arch')
  const [ver, rel] = [version.get('ver'), version.get('rel')]
  const nevra =
    name && architecture && ver && rel
      ? { name, epoch: version.get('epoch') || '0', version: ver, release: rel, architecture }
      : null
  return { pkgid: pkgid.toLowerCase(), nevra }
}

/** Reads what {@link import('./primary.ts').parsePrimaryPackage} leaves out. Not for tens of thousands. */
export function parsePrimaryFormat(fragment: Uint8Array): PrimaryFormat {
  const root = readElement(fragment, 'primary')
  const format = childrenOf(root, 'format')[0]
  const entries = (kind: DependencyKind): readonly Dependency[] =>
    childrenOf(childrenOf(format, `rpm:${kind}`)[0], 'rpm:entry').map(toDependency)
  return {
    provides: entries('provides'),
    requires: entries('requires'),
    conflicts: entries('conflicts'),
    obsoletes: entries('obsoletes'),
    recommends: entries('recommends'),
    suggests: entries('suggests'),
    supplements: entries('supplements'),
    enhances: entries('enhances'),
    description: childrenOf(root, 'description')[0]?.text || null,
    files: childrenOf(format, 'file').map(toFile),
  }
}

/** Reads the files of a package of filelists or filelists-ext, in order. */
export function parseFilelists(
  fragment: Uint8Array,
  document: 'filelists' | 'filelists-ext' = 'filelists',
): PackageOwner & { readonly files: readonly PackageFile[] } {
  const files = childrenOf(readElement(fragment, document), 'file').map(toFile)
  return { ...parsePackageOwner(fragment), files }
}

/** Reads the changelogs of a package of other, in order: createrepo_c writes the oldest first. */
export function parseOther(
  fragment: Uint8Array,
): PackageOwner & { readonly changelogs: readonly Changelog[] } {
  const changelogs = childrenOf(readElement(fragment, 'other'), 'changelog').map((element) => ({
    author: element.attributes.get('author') ?? '',
    date: /^[0-9]{1,15}$/.test(element.attributes.get('date') ?? '')
      ? Number(element.attributes.get('date'))
      : null,
    text: element.text,
  }))
  return { ...parsePackageOwner(fragment), changelogs }
}

interface FragmentElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: FragmentElement[]
  text: string
}

/** @throws ChantalError `UPSTREAM_INVALID` where the fragment is no package by itself */
function readElement(fragment: Uint8Array, document: RepodataDocument): FragmentElement {
  const root: FragmentElement = { name: '', attributes: new Map(), children: [], text: '' }
  const open = [root]
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw new ChantalError('UPSTREAM_INVALID', `${document}.xml: ${error.message}`, { cause: error })
  })
  parser.on('opentag', (tag) => {
    const element = toElement(tag)
    open.at(-1)?.children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => open.pop())
  const addText = (text: string): void => {
    const element = open.at(-1)
    if (element !== undefined) element.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.write(repodataHeader(document, 1))
  parser.write(Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength).toString('utf8'))
  parser.write(repodataFooter(document)).close()
  const [only, ...others] = childrenOf(root.children[0], 'package')
  if (only === undefined || others.length > 0 || root.children.length > 1) {
    throw new ChantalError('UPSTREAM_INVALID', `${document}.xml: not one package`)
  }
  return only
}

function toElement(tag: SaxesTagNS): FragmentElement {
  const attributes = new Map(Object.values(tag.attributes).map(({ name, value }) => [name, value]))
  return { name: tag.name, attributes, children: [], text: '' }
}

function childrenOf(element: FragmentElement | undefined, name: string): readonly FragmentElement[] {
  return element?.children.filter((child) => child.name === name) ?? []
}

function toDependency({ attributes }: FragmentElement): Dependency {
  return {
    name: attributes.get('name') ?? '',
    flags: attributes.get('flags') ?? null,
    epoch: attributes.get('epoch') ?? null,
    version: attributes.get('ver') ?? null,
    release: attributes.get('rel') ?? null,
    isPre: attributes.get('pre') === '1',
  }
}

function toFile({ attributes, text }: FragmentElement): PackageFile {
  const type = attributes.get('type')
  return { path: text, type: type === 'dir' || type === 'ghost' ? type : 'file' }
}
