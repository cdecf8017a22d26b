import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { decompress } from '../../src/codec/compression.ts'
import { readWhole } from '../../src/core/bytes.ts'
import type { Checksum } from '../../src/core/digest.ts'
import { type Comps, parseComps } from '../../src/ecosystems/rpm/formats/comps.ts'
import { type ModuleDocument, readModules } from '../../src/ecosystems/rpm/formats/modulemd.ts'
import { formatNevra } from '../../src/ecosystems/rpm/formats/nevra.ts'
import {
  type Changelog,
  type PackageFile,
  type PrimaryFormat,
  parseFilelists,
  parseOther,
  parsePrimaryFormat,
} from '../../src/ecosystems/rpm/formats/package-details.ts'
import { scanPackages } from '../../src/ecosystems/rpm/formats/package-scanner.ts'
import { type PrimaryPackage, parsePrimaryPackage } from '../../src/ecosystems/rpm/formats/primary.ts'
import { parseRepomd, type Repomd, type RepomdRecord } from '../../src/ecosystems/rpm/formats/repomd.ts'
import { type Advisory, readAdvisories } from '../../src/ecosystems/rpm/formats/updateinfo.ts'
import { collect } from '../upstream/downloading.ts'

/** Everything that the metadata of a repository says of one package. */
export interface DescribedPackage {
  /** `name-epoch:version-release.arch` */
  readonly nevra: string
  readonly primary: PrimaryPackage
  readonly format: PrimaryFormat
  readonly files: readonly PackageFile[]
  readonly changelogs: readonly Changelog[]
}

/** A repository's metadata, read whole. Every record's size and checksum were found right. */
export interface RpmTree {
  readonly repomd: Repomd
  /** In order of their NEVRAs, then paths. */
  readonly packages: readonly DescribedPackage[]
  readonly comps: Comps | null
  readonly modules: readonly ModuleDocument[]
  readonly advisories: readonly Advisory[]
}

const maxSize = 256 * 1024 * 1024

/** @throws an error naming the record whose file is not as repomd.xml says */
export async function readRpmTree(folder: string): Promise<RpmTree> {
  const repomd = parseRepomd(await readFile(join(folder, 'repodata/repomd.xml')))
  for (const record of repomd.records) await checkRecord(folder, record)
  const open = (...types: readonly string[]) => {
    const record = repomd.records.find(({ type }) => types.includes(type))
    return record ? decompress(fileOf(folder, record.href), { maxSize }) : null
  }
  const whole = async (...types: readonly string[]) => {
    const source = open(...types)
    return source ? Buffer.from(await readWhole(source)) : null
  }
  const read = async <Entry>(
    type: 'primary' | 'filelists' | 'other',
    parse: (fragment: Uint8Array) => Entry,
  ) => {
    const entries: Entry[] = []
    for await (const { packages, declaredCount } of scanPackages(open(type) ?? none(), type)) {
      for (const fragment of packages) entries.push(parse(fragment))
      if (declaredCount === null) throw new Error(`${type} says nothing of how many packages it has`)
    }
    return entries
  }
  const filelists = new Map(
    (await read('filelists', (fragment) => parseFilelists(fragment))).map((entry) => [entry.pkgid, entry]),
  )
  const other = new Map((await read('other', parseOther)).map((entry) => [entry.pkgid, entry]))
  const primaries = await read('primary', (fragment) => ({
    primary: parsePrimaryPackage(fragment),
    format: parsePrimaryFormat(fragment),
  }))
  const packages = primaries.map(({ primary, format }) => ({
    nevra: formatNevra(primary.nevra),
    primary,
    format,
    files: filelists.get(primary.pkgid)?.files ?? [],
    changelogs: other.get(primary.pkgid)?.changelogs ?? [],
  }))
  const comps = await whole('group', 'group_gz')
  const modules = await whole('modules')
  const updateinfo = open('updateinfo')
  return {
    repomd,
    packages: packages.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
    comps: comps && parseComps(comps),
    modules: modules ? readModules(modules.toString()) : [],
    advisories: updateinfo ? await collect(readAdvisories(updateinfo)) : [],
  }
}

const placeOf = ({ nevra, primary }: DescribedPackage) => `${nevra} ${primary.href}`

async function checkRecord(folder: string, record: RepomdRecord): Promise<void> {
  const { size } = await stat(join(folder, record.href))
  const found: Checksum = {
    ...record.checksum,
    hex: await hashOf(record.checksum, fileOf(folder, record.href)),
  }
  if (found.hex !== record.checksum.hex || (record.size !== null && record.size !== size))
    throw new Error(`${record.type}: ${record.href} is not what repomd.xml says`)
  if (record.openChecksum === null || /_(db|zck)$/.test(record.type)) return
  const opened = decompress(fileOf(folder, record.href), { maxSize })
  if ((await hashOf(record.openChecksum, opened)) !== record.openChecksum.hex)
    throw new Error(`${record.type}: ${record.href} opens to something else than repomd.xml says`)
}

async function hashOf({ algorithm }: Checksum, source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of source) hash.update(chunk)
  return hash.digest('hex')
}

async function* fileOf(folder: string, href: string): AsyncGenerator<Uint8Array> {
  yield await readFile(join(folder, href))
}

async function* none(): AsyncGenerator<Uint8Array> {}
