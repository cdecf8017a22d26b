import { parseSha256, type Sha256 } from '../core/digest.ts'
import type {
  EcosystemId,
  NativeRecord,
  PackageKey,
  RepositoryId,
  Revision,
  StoredFile,
} from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import type { Catalog } from './catalog.ts'
import type { CatalogReader } from './catalog-reader.ts'
import type { NewPackage } from './catalog-writer.ts'

export const epel = 'epel9' as RepositoryId
export const keyOf = (text: string) => text as PackageKey
export const pathOf = parseRelativePath

/** Blob number `n` is `n` bytes. */
export const digestOf = (number: number): Sha256 => parseSha256(number.toString(16).padStart(64, '0'))

export const fileOf = (path: string, blob: number): StoredFile => ({
  path: pathOf(path),
  digest: digestOf(blob),
  size: blob,
})

/** A package of these blobs. */
export function packageOf(name: string, [first, ...rest]: readonly number[], identity = name): NewPackage {
  const file = (blob: number, position: number) =>
    fileOf(`packages/${name.replaceAll('\\', '/')}-${position}`, blob)
  return {
    key: keyOf(name),
    name,
    version: '1:2.0~rc1-3',
    architecture: name.length % 2 === 0 ? 'x86_64' : null,
    builtAt: name.length % 2 === 0 ? new Date(1_700_000_000_000) : null,
    attributes: { summary: `“${name}”`, nested: [1, { zero: 'a\u0000b' }] },
    identity,
    files: [file(first ?? 1, 0), ...rest.map((blob, index) => file(blob, index + 1))],
  }
}

export async function saveEpel(
  catalog: Catalog,
  mode: 'mirror' | 'filtered' = 'mirror',
  ecosystem = 'rpm',
): Promise<void> {
  await catalog.write((writer) =>
    writer.saveRepository({ id: epel, ecosystem: ecosystem as EcosystemId, mode }),
  )
}

export async function saveBlobs(
  catalog: Catalog,
  numbers: readonly number[],
  now = new Date(0),
): Promise<void> {
  const blobs = numbers.map((number) => ({ digest: digestOf(number), size: number }))
  await catalog.write((writer) => writer.addBlobs(blobs, now))
}

export interface RevisionInput {
  readonly removed?: readonly string[]
  readonly packages?: readonly NewPackage[]
  readonly files?: readonly StoredFile[]
  readonly records?: readonly NativeRecord[]
  readonly sealedAt?: Date
}

/** The next revision of {@link epel}, which is saved where it is not yet. */
export async function addRevision(catalog: Catalog, input: RevisionInput): Promise<Revision> {
  const known = await catalog.read((reader) => reader.repository(epel))
  if (!known) await saveEpel(catalog)
  const blobs = [...(input.packages ?? []).flatMap(({ files }) => files), ...(input.files ?? [])]
  return catalog.write(async (writer) => {
    await writer.addBlobs(blobs, new Date(0))
    const open = await writer.openRevision(epel)
    await writer.removePackages(open, (input.removed ?? []).map(keyOf))
    await writer.addPackages(open, input.packages ?? [])
    await writer.setFiles(open, input.files ?? [])
    await writer.addRecords(open, input.records ?? [])
    return writer.sealRevision(open, input.sealedAt ?? new Date(1000), null)
  })
}

export function all<T>(catalog: Catalog, list: (reader: CatalogReader) => AsyncIterable<T>): Promise<T[]> {
  return catalog.read((reader) => collect(list(reader)))
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}
