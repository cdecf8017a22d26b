import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import {
  type RepodataDocument,
  repodataFooter,
  repodataHeader,
} from '../../src/ecosystems/rpm/formats/repodata-document.ts'

export interface OddPackage {
  readonly name: string
  /** `version-release`; default `1.0-1`. */
  readonly version?: string
  /** `null` says nothing of it. Default: 0. */
  readonly epoch?: string | null
  readonly architecture?: string
  /** Default: the name that its NEVRA has, in `Packages/`. */
  readonly href?: string
  /** Default: a line that says name, version and architecture. */
  readonly body?: string | Uint8Array
  readonly buildTime?: number
  /** As metadata writes it: `sha` is SHA-1. Default: `sha256`. */
  readonly checksumType?: string
  /** Names that it requires. */
  readonly requires?: readonly string[]
  /** In filelists, as they are written; primary has what is under `/etc/` or `bin/`. */
  readonly files?: readonly string[]
}

export interface OddRecord {
  readonly type: string
  readonly path: string
  /** As it is served. */
  readonly content: string | Uint8Array
  /** What it decompresses to, for the index to state a checksum of. Default: it states none. */
  readonly opensTo?: string
}

/** What a repository is besides its packages. */
interface OddRepository {
  /** Of records, as {@link OddPackage.checksumType}. */
  readonly checksumType?: string
  /** Default: primary, filelists and other. */
  readonly documents?: readonly RepodataDocument[]
  readonly records?: readonly OddRecord[]
  /** Within the root element of repomd.xml, before the records. */
  readonly head?: string
}

/**
 * The files of an RPM repository by path, for `startUpstream`: what createrepo_c writes around the oddities that are asked for. Bodies
 * of packages are a line of text, which no client could install.
 */
export function rpmFiles(
  packages: readonly OddPackage[],
  {
    checksumType = 'sha256',
    documents = ['primary', 'filelists', 'other'],
    records = [],
    head = '',
  }: OddRepository = {},
): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  for (const pkg of packages) files[hrefOf(pkg)] = Buffer.from(bodyOf(pkg))
  const all = documents.map((type): OddRecord => {
    const open = [
      repodataHeader(type, packages.length),
      ...packages.map((pkg) => entryOf(pkg, type)),
      repodataFooter(type),
    ]
    const content = gzipSync(open.join(''))
    return { type, path: `repodata/${hashOf('sha256', content)}-${type}.xml.gz`, content }
  })
  const data = [...all, ...records].map(({ type, path, content, opensTo }) => {
    const bytes = Buffer.from(content)
    files[path] = bytes
    const checksum = `<checksum type="${checksumType}">${hashOf(checksumType, bytes)}</checksum>`
    const open =
      opensTo === undefined
        ? ''
        : `<open-checksum type="${checksumType}">${hashOf(checksumType, Buffer.from(opensTo))}</open-checksum>`
    return `<data type="${type}">${checksum}${open}<location href="${path}"/><size>${bytes.length}</size></data>\n`
  })
  const root = '<repomd xmlns="http://linux.duke.edu/metadata/repo">'
  files['repodata/repomd.xml'] = Buffer.from(
    `<?xml version="1.0"?>\n${root}\n${head}${data.join('')}</repomd>\n`,
  )
  return files
}

/** The entry of a package in one of the documents. */
export function entryOf(pkg: OddPackage, document: RepodataDocument): string {
  const {
    name,
    architecture = 'noarch',
    checksumType = 'sha256',
    buildTime = 1_700_000_000,
    requires = [],
    files = [],
  } = pkg
  const body = bodyOf(pkg)
  const hex = hashOf(checksumType, Buffer.from(body))
  const [version, release] = versionOf(pkg)
  const epoch = pkg.epoch === null ? '' : `epoch="${pkg.epoch ?? '0'}" `
  const evr = `<version ${epoch}ver="${version}" rel="${release}"/>`
  const fileElements = (paths: readonly string[]) =>
    paths.map((path) => `    <file>${path}</file>\n`).join('')
  if (document !== 'primary') {
    const content =
      document === 'other' ? '    <changelog author="a" date="1">- b</changelog>\n' : fileElements(files)
    return `<package pkgid="${hex}" name="${name}" arch="${architecture}">\n    ${evr}\n${content}</package>\n`
  }
  const entries = requires.map((required) => `<rpm:entry name="${required}"/>`).join('')
  const primaryFiles = files.filter((path) => path.startsWith('/etc/') || path.includes('bin/'))
  return `<package type="rpm">
  <name>${name}</name>
  <arch>${architecture}</arch>
  ${evr}
  <checksum type="${checksumType}" pkgid="YES">${hex}</checksum>
  <summary>One</summary>
  <time file="${buildTime}" build="${buildTime}"/>
  <size package="${Buffer.byteLength(body)}" installed="1" archive="1"/>
  <location href="${hrefOf(pkg)}"/>
  <format>
    <rpm:license>MIT</rpm:license>
    <rpm:provides><rpm:entry name="${name}"/></rpm:provides>
    <rpm:requires>${entries}</rpm:requires>
${fileElements(primaryFiles)}  </format>
</package>
`
}

export function bodyOf(pkg: OddPackage): string | Uint8Array {
  return (
    pkg.body ?? `The package ${pkg.name}-${versionOf(pkg).join('-')} for ${pkg.architecture ?? 'noarch'}\n`
  )
}

function hrefOf(pkg: OddPackage): string {
  return pkg.href ?? `Packages/${pkg.name}-${versionOf(pkg).join('-')}.${pkg.architecture ?? 'noarch'}.rpm`
}

function versionOf({ version = '1.0-1' }: OddPackage): readonly [version: string, release: string] {
  const dash = version.lastIndexOf('-')
  return [version.slice(0, dash), version.slice(dash + 1)]
}

function hashOf(type: string, bytes: Uint8Array): string {
  return createHash(type === 'sha' ? 'sha1' : type)
    .update(bytes)
    .digest('hex')
}
