import { ChantalError } from '../../../core/errors.ts'
import { withoutTrailing } from '../../../core/trailing.ts'
import { rpmvercmp } from '../version.ts'
import type { Nevra } from './nevra.ts'
import {
  type Changelog,
  type Dependency,
  type DependencyKind,
  dependencyKinds,
  type PackageFile,
} from './package-details.ts'
import { parseMainTags, type RpmHeaders } from './rpm-header.ts'
import { type RpmTags, readRpmFacts, rpmSignatureTag, rpmTag } from './rpm-tags.ts'

/** What repository metadata says of a package that its header says. Text is empty where the header has none. */
export interface RpmPackage {
  readonly nevra: Nevra
  readonly summary: string
  readonly description: string
  readonly packager: string
  readonly url: string
  readonly license: string
  readonly vendor: string
  readonly group: string
  readonly buildHost: string
  /** File name of the source package; empty for a source package. */
  readonly sourceRpm: string
  /** `name:stream:version:context` of the module that it belongs to. */
  readonly moduleLabel: string
  /** Seconds since 1970. */
  readonly buildTime: number
  /** In bytes. */
  readonly installedSize: number
  readonly archiveSize: number
  readonly headerStart: number
  readonly headerEnd: number
  readonly dependencies: Readonly<Record<DependencyKind, readonly Dependency[]>>
  /** All of them, in the header's order. */
  readonly files: readonly PackageFile[]
  /** The newest, oldest of them first. */
  readonly changelogs: readonly (Changelog & { readonly date: number })[]
}

/** Entries of changelogs that distributions keep in their metadata; a client asks the package for more. */
const keptChangelogs = 10

/**
 * Reads a package's header as createrepo_c does.
 * @throws ChantalError `UPSTREAM_INVALID` where it does not hold together
 * @see createrepo_c, src/parsehdr.c
 */
export function readRpmPackage(headers: RpmHeaders): RpmPackage {
  const main = parseMainTags(headers)
  const { signature } = headers
  const { name, epoch, version, release, architecture } = readRpmFacts(main)
  const text = (tag: number) => main.string(tag) ?? ''
  const files = readFiles(main)
  return {
    nevra: { name, epoch: String(epoch), version, release, architecture },
    summary: text(rpmTag.summary),
    description: text(rpmTag.description),
    packager: text(rpmTag.packager),
    url: text(rpmTag.url),
    license: text(rpmTag.license),
    vendor: text(rpmTag.vendor),
    group: text(rpmTag.group),
    buildHost: text(rpmTag.buildHost),
    sourceRpm: text(rpmTag.sourcePackage),
    moduleLabel: text(rpmTag.moduleLabel),
    buildTime: main.number(rpmTag.buildTime) ?? 0,
    installedSize: main.number(rpmTag.longSize) ?? main.number(rpmTag.size) ?? 0,
    archiveSize:
      signature.number(rpmSignatureTag.longArchiveSize) ??
      signature.number(rpmSignatureTag.payloadSize) ??
      main.number(rpmTag.archiveSize) ??
      0,
    headerStart: headers.mainOffset,
    headerEnd: headers.payloadOffset,
    dependencies: readDependencies(main, files),
    files,
    changelogs: readChangelogs(main),
  }
}

/** What primary lists, so that clients which load nothing else can resolve dependencies on files. */
export function isPrimaryFile(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail'
}

const fileTypeMask = 0o170000
const directoryType = 0o040000
const ghostFlag = 1 << 6

function readFiles(main: RpmTags): readonly PackageFile[] {
  // Packages of before rpm 4 write whole paths.
  const paths = main.strings(rpmTag.oldFileNames) ?? joinedPaths(main)
  const modes = main.numbers(rpmTag.fileModes) ?? []
  const flags = main.numbers(rpmTag.fileFlags) ?? []
  return paths.map((path, index) => {
    if (((modes[index] ?? 0) & fileTypeMask) === directoryType) return { path, type: 'dir' }
    return { path, type: (flags[index] ?? 0) & ghostFlag ? 'ghost' : 'file' }
  })
}

function joinedPaths(main: RpmTags): readonly string[] {
  const names = main.strings(rpmTag.baseNames) ?? []
  const folders = main.strings(rpmTag.folderNames) ?? []
  const indexes = main.numbers(rpmTag.folderIndexes) ?? []
  return names.map((name, at) => {
    const folder = folders[indexes[at] ?? -1]
    if (folder === undefined) throw invalid(`its file ${JSON.stringify(name)} lies in no folder`)
    return folder + name
  })
}

const comparisons: Readonly<Record<number, string>> = { 2: 'LT', 4: 'GT', 8: 'EQ', 10: 'LE', 12: 'GE' }
const comparisonMask = 0xf
/** Of dependencies that have to be met before a scriptlet runs. */
const preFlags = (1 << 6) | (1 << 9) | (1 << 10)

interface HeaderDependency extends Dependency {
  /** Name, comparison and version as they stand in the header. */
  readonly text: string
}

function readDependencies(main: RpmTags, files: readonly PackageFile[]): RpmPackage['dependencies'] {
  const read = (kind: DependencyKind) => readKind(main, kind)
  const all = Object.fromEntries(dependencyKinds.map((kind) => [kind, read(kind)] as const))
  const of = (kind: DependencyKind) => all[kind] ?? []
  return {
    provides: of('provides').map(bare),
    requires: settleRequires(of('requires'), of('provides'), files).map(bare),
    conflicts: of('conflicts').map(bare),
    obsoletes: of('obsoletes').map(bare),
    recommends: of('recommends').map(bare),
    suggests: of('suggests').map(bare),
    supplements: of('supplements').map(bare),
    enhances: of('enhances').map(bare),
  }
}

function bare({ text: _, ...dependency }: HeaderDependency): Dependency {
  return dependency
}

function readKind(main: RpmTags, kind: DependencyKind): readonly HeaderDependency[] {
  const tags = rpmTag[kind]
  const names = main.strings(tags.names) ?? []
  const flags = main.numbers(tags.flags) ?? []
  const versions = main.strings(tags.versions) ?? []
  return names.flatMap((name, index) => {
    const flag = flags[index] ?? 0
    const version = versions[index] ?? ''
    const comparison = comparisons[flag & comparisonMask] ?? null
    const evr = parseDependencyEvr(version)
    // Nobody can tell what it means; createrepo_c passes over it too.
    if (evr === null) return []
    const hasVersion = comparison !== null && version !== ''
    return {
      name,
      flags: comparison,
      epoch: hasVersion ? evr.epoch : null,
      version: hasVersion ? evr.version : null,
      release: hasVersion ? evr.release : null,
      isPre: kind === 'requires' && (flag & preFlags) !== 0,
      text: `${name}${comparison ?? ''}${version}`,
    }
  })
}

/** `null` where the epoch is no number. Here a release follows the first dash. */
function parseDependencyEvr(text: string): { epoch: string; version: string; release: string | null } | null {
  const colon = text.indexOf(':')
  const epoch = colon === -1 ? '0' : text.slice(0, colon) || '0'
  if (!/^\d+$/.test(epoch)) return null
  const rest = text.slice(colon + 1)
  const dash = rest.indexOf('-')
  return dash === -1
    ? { epoch, version: rest, release: null }
    : { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) || null }
}

/**
 * Without what needs no resolving: features of rpm itself, what the package provides, and repetitions. Of the many symbol versions of
 * libc the highest stands for all, at the end.
 */
function settleRequires(
  requires: readonly HeaderDependency[],
  provides: readonly HeaderDependency[],
  files: readonly PackageFile[],
): readonly HeaderDependency[] {
  const own = new Set(provides.map(({ text }) => text))
  const ownFiles = new Set(files.flatMap(({ path }) => (isPrimaryFile(path) ? [path] : [])))
  const last = new Map<string, string>()
  const kept: HeaderDependency[] = []
  let libc: HeaderDependency | null = null
  for (const dependency of requires) {
    const { name, text, isPre } = dependency
    if (name.startsWith('rpmlib(') || ownFiles.has(name) || own.has(text)) continue
    const repeated = `${isPre} ${text}`
    if (last.get(name) === repeated) continue
    if (name.startsWith('libc.so.6')) {
      if (libc === null || compareSymbols(libc.name, name) < 0) libc = dependency
      continue
    }
    last.set(name, repeated)
    kept.push(dependency)
  }
  return libc ? [...kept, libc] : kept
}

/** By the version in `libc.so.6(GLIBC_2.34)(64bit)`; without one first. */
function compareSymbols(a: string, b: string): number {
  const versionOf = (name: string) => /_([^)]*)/.exec(name)?.[1] ?? ''
  return rpmvercmp(versionOf(a), versionOf(b))
}

function readChangelogs(main: RpmTags): RpmPackage['changelogs'] {
  const times = main.numbers(rpmTag.changelogTimes) ?? []
  const names = main.strings(rpmTag.changelogNames) ?? []
  const texts = main.strings(rpmTag.changelogTexts) ?? []
  const newest = times.slice(0, keptChangelogs).map((date, index) => ({
    author: withoutTrailing(names[index] ?? '', ' '),
    date,
    text: texts[index] ?? '',
  }))
  const oldestFirst = newest.reverse()
  // Clients sort by time: those of one day are a second apart, in their order.
  return oldestFirst.map((entry, at) => {
    const before = oldestFirst.slice(0, at).filter(({ date }) => date === entry.date)
    return { ...entry, date: entry.date + before.length }
  })
}

function invalid(reason: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a sound RPM package: ${reason}`, {
    hint: 'Upstream built or copied this package wrongly; tell them.',
  })
}
