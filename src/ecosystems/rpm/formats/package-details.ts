import { childOf, childrenOf, readXmlDocument, type XmlElement } from '../../../codec/xml.ts'
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
  // The version comes before the files, of which there may be megabytes.
  const near = readOwner(fragment.subarray(0, ownerWindow))
  const { owner, version } = near.version === null ? readOwner(fragment) : near
  const name = owner.get('name')
  const pkgid = owner.get('pkgid')
  if (!pkgid) {
    throw new ChantalError('UPSTREAM_INVALID', `repodata: package ${JSON.stringify(name ?? '')} has no pkgid`)
  }
  const architecture = owner.get('arch')
  const [ver, rel] = [version?.get('ver'), version?.get('rel')]
  const nevra =
    name && architecture && ver && rel
      ? { name, epoch: version?.get('epoch') || '0', version: ver, release: rel, architecture }
      : null
  return { pkgid: pkgid.toLowerCase(), nevra }
}

/** Reads what {@link import('./primary.ts').parsePrimaryPackage} leaves out. Not for tens of thousands. */
export function parsePrimaryFormat(fragment: Uint8Array): PrimaryFormat {
  const root = readElement(fragment, 'primary')
  const format = childOf(root, 'format')
  const entries = (kind: DependencyKind): readonly Dependency[] =>
    childrenOf(childOf(format, `rpm:${kind}`), 'rpm:entry').map(toDependency)
  return {
    provides: entries('provides'),
    requires: entries('requires'),
    conflicts: entries('conflicts'),
    obsoletes: entries('obsoletes'),
    recommends: entries('recommends'),
    suggests: entries('suggests'),
    supplements: entries('supplements'),
    enhances: entries('enhances'),
    description: childOf(root, 'description')?.text || null,
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

type Attributes = ReadonlyMap<string, string>

/** In bytes. */
const ownerWindow = 2048

/** The attributes of the package and of its version; `null` where the version is not in sight. */
function readOwner(fragment: Uint8Array): {
  readonly owner: Attributes
  readonly version: Attributes | null
} {
  const reader = new FragmentReader(fragment)
  const owner: Attributes = reader.next() ? attributesOf(reader.tag()) : new Map()
  while (reader.next()) {
    if (reader.depth === 1 && reader.name === 'version') return { owner, version: attributesOf(reader.tag()) }
  }
  return { owner, version: null }
}

/** @throws ChantalError `UPSTREAM_INVALID` where the fragment is no package by itself */
function readElement(fragment: Uint8Array, document: RepodataDocument): XmlElement {
  const header = Buffer.from(repodataHeader(document, 1))
  const footer = Buffer.from(repodataFooter(document))
  const root = readXmlDocument(Buffer.concat([header, fragment, footer]), `${document}.xml`)
  const [only, ...others] = root.children
  if (only === undefined || only.name !== 'package' || others.length > 0) {
    throw new ChantalError('UPSTREAM_INVALID', `${document}.xml: not one package`)
  }
  return only
}

function toDependency({ attributes }: XmlElement): Dependency {
  return {
    name: attributes.get('name') ?? '',
    flags: attributes.get('flags') ?? null,
    epoch: attributes.get('epoch') ?? null,
    version: attributes.get('ver') ?? null,
    release: attributes.get('rel') ?? null,
    isPre: attributes.get('pre') === '1',
  }
}

function toFile({ attributes, text }: XmlElement): PackageFile {
  const type = attributes.get('type')
  return { path: text, type: type === 'dir' || type === 'ghost' ? type : 'file' }
}
