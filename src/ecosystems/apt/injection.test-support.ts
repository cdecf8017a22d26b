import { createHash } from 'node:crypto'
import { parseSha256 } from '../../core/digest.ts'
import type { RepositoryId } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { aptOptions } from './options.ts'
import { PackageListing } from './package-listing.ts'
import type { GivenPackage } from './publishing.test-support.ts'
import { placeOfSuite } from './suites.ts'

/** Reads an index as a sync does. */
export async function listedStanzas(bytes: Uint8Array): Promise<readonly GivenPackage[]> {
  const place = placeOfSuite('stable')
  const path = parseRelativePath('dists/stable/main/binary-amd64/Packages')
  const digest = parseSha256(createHash('sha256').update(bytes).digest('hex'))
  const file = { path: 'main/binary-amd64/Packages', size: bytes.byteLength, checksums: [] }
  const kind = { kind: 'packages', architecture: 'amd64', isUdeb: false } as const
  const plainPath = file.path
  const listed = { ...kind, component: 'main', language: null, plainPath, extension: '', file } as const
  const stream = async function* () {
    yield bytes
  }
  const fail = () => Promise.reject(new Error('nothing is fetched'))
  const listing = new PackageListing(
    {
      repository: 'apt' as RepositoryId,
      options: aptOptions.parse({ suites: ['stable'] }),
      mode: 'filtered',
      filters: null,
      checkpoint: null,
      held: async () => [],
      unchanged: async () => new Map(),
      metadata: { fetch: fail, fetchOptional: fail },
      verifier: null,
      limits: {
        rootDocument: 2 ** 20,
        metadata: 2 ** 20,
        decompressedRatio: 10,
        decompressedMinimum: 2 ** 20,
        package: 2 ** 20,
      },
      now: new Date(0),
      reporter: { report: () => {} },
      signal: new AbortController().signal,
    },
    [
      {
        place,
        index: { ...kind, plainPath, component: { name: 'main', folder: 'main' }, variants: [listed] },
        file: { path, digest, size: bytes.byteLength, isUnchanged: false, bytes: async () => bytes, stream },
        plain: null,
      },
    ],
  )
  const packages = await collect(listing.read())
  const records = await collect(listing.records(new Set(packages.map(({ key }) => key))))
  const stanzas = new Map(records.map(({ key, bytes: stanza }) => [key, stanza]))
  return packages.map(({ key, name, attributes, files: [first] }) => {
    const stanza = stanzas.get(key)
    if (!stanza) throw new Error(`no stanza of ${key}`)
    return { key, name, path: first.path, stanza, attributes }
  })
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
