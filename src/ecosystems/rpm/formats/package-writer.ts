import { escapeXmlAttribute, escapeXmlText } from '../../../codec/xml.ts'
import type { Changelog, Dependency, DependencyKind, PackageFile } from './package-details.ts'
import { isPrimaryFile, type RpmPackage } from './rpm-package.ts'

/** What a header does not say of its own file. */
export interface RpmFile {
  /** Relative to the repository. */
  readonly href: string
  /** SHA-256, lower-case hex. */
  readonly sha256: string
  /** In bytes. */
  readonly size: number
  /** Seconds since 1970. */
  readonly time: number
}

/** As createrepo_c orders them. */
const dependencyOrder: readonly DependencyKind[] = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'suggests',
  'enhances',
  'recommends',
  'supplements',
]

/** A package's entry in primary.xml, as createrepo_c writes it, without the line feed after it. @see createrepo_c, src/xml_dump_primary.c */
export function writePrimary(pkg: RpmPackage, file: RpmFile): string {
  const { nevra } = pkg
  const dependencies = dependencyOrder.flatMap((kind) => dependencyLines(kind, pkg.dependencies[kind]))
  return [
    '<package type="rpm">',
    `  ${element('name', nevra.name)}`,
    `  ${element('arch', nevra.architecture)}`,
    `  ${versionElement(pkg)}`,
    `  <checksum type="sha256" pkgid="YES">${file.sha256}</checksum>`,
    `  ${element('summary', pkg.summary)}`,
    `  ${element('description', pkg.description)}`,
    `  ${element('packager', pkg.packager)}`,
    `  ${element('url', pkg.url)}`,
    `  <time file="${file.time}" build="${pkg.buildTime}"/>`,
    `  <size package="${file.size}" installed="${pkg.installedSize}" archive="${pkg.archiveSize}"/>`,
    `  <location href="${escapeXmlAttribute(file.href)}"/>`,
    '  <format>',
    `    ${element('rpm:license', pkg.license)}`,
    `    ${element('rpm:vendor', pkg.vendor)}`,
    `    ${element('rpm:group', pkg.group)}`,
    `    ${element('rpm:buildhost', pkg.buildHost)}`,
    `    ${element('rpm:sourcerpm', pkg.sourceRpm)}`,
    `    <rpm:header-range start="${pkg.headerStart}" end="${pkg.headerEnd}"/>`,
    ...dependencies,
    ...pkg.files.filter(({ path }) => isPrimaryFile(path)).map((each) => `    ${fileElement(each)}`),
    '  </format>',
    '</package>',
  ].join('\n')
}

/** Its entry in filelists.xml. */
export function writeFilelists(pkg: RpmPackage, file: RpmFile): string {
  return [
    ownerTag(pkg, file),
    `  ${versionElement(pkg)}`,
    ...pkg.files.map((each) => `  ${fileElement(each)}`),
    '</package>',
  ].join('\n')
}

/** Its entry in other.xml. */
export function writeOther(pkg: RpmPackage, file: RpmFile): string {
  return [
    ownerTag(pkg, file),
    `  ${versionElement(pkg)}`,
    ...pkg.changelogs.map((each) => `  ${changelogElement(each)}`),
    '</package>',
  ].join('\n')
}

function ownerTag({ nevra }: RpmPackage, { sha256 }: RpmFile): string {
  const [name, architecture] = [nevra.name, nevra.architecture].map(escapeXmlAttribute)
  return `<package pkgid="${sha256}" name="${name}" arch="${architecture}">`
}

function versionElement({ nevra }: RpmPackage): string {
  const [version, release] = [nevra.version, nevra.release].map(escapeXmlAttribute)
  return `<version epoch="${nevra.epoch}" ver="${version}" rel="${release}"/>`
}

function dependencyLines(kind: DependencyKind, dependencies: readonly Dependency[]): readonly string[] {
  if (dependencies.length === 0) return []
  const entries = dependencies.map((each) => `      ${dependencyElement(each)}`)
  return [`    <rpm:${kind}>`, ...entries, `    </rpm:${kind}>`]
}

function dependencyElement({ name, flags, epoch, version, release, isPre }: Dependency): string {
  const pairs: readonly (readonly [string, string | null])[] = [
    ['name', name],
    ['flags', flags],
    ['epoch', epoch],
    ['ver', version],
    ['rel', release],
    ['pre', isPre ? '1' : null],
  ]
  const attributes = pairs.flatMap(([key, value]) =>
    value === null ? [] : [` ${key}="${escapeXmlAttribute(value)}"`],
  )
  return `<rpm:entry${attributes.join('')}/>`
}

function fileElement({ path, type }: PackageFile): string {
  return `<file${type === 'file' ? '' : ` type="${type}"`}>${escapeXmlText(path)}</file>`
}

function changelogElement({ author, date, text }: Changelog): string {
  return `<changelog author="${escapeXmlAttribute(author)}" date="${date}">${escapeXmlText(text)}</changelog>`
}

function element(name: string, text: string): string {
  return `<${name}>${escapeXmlText(text)}</${name}>`
}
