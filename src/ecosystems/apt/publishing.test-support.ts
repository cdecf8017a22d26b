import { createHash } from 'node:crypto'
import { recordsAmong } from '../../codec/runs/made-records.test-support.ts'
import { parseSha256 } from '../../core/digest.ts'
import type { PackageKey, RepositoryId, RevisionPackage, StoredFile } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { EarlierTree } from '../../core/publication.ts'
import { MemorySink } from '../../publish/memory-sink.ts'
import type { AptAttributes } from './attributes.ts'
import { aptOptions } from './options.ts'
import { type AptPublishInput, publishApt } from './publisher.ts'

export interface GivenPackage {
  readonly key: string
  readonly stanza: Uint8Array
  readonly path: string
  readonly name: string
  readonly attributes: AptAttributes
}

export interface Given {
  readonly packages?: readonly GivenPackage[]
  /** What a revision holds besides, by path. */
  readonly files?: Readonly<Record<string, string>>
  readonly options?: object
  readonly earlier?: EarlierTree
  readonly now?: Date
}

const repository = 'apt' as RepositoryId

/** Enough for what tests read. */
export const smallLimits = {
  rootDocument: 2 ** 20,
  metadata: 2 ** 20,
  decompressedRatio: 10,
  decompressedMinimum: 2 ** 20,
  package: 2 ** 20,
}

/** A tree, and the packages whose native records were read for it. */
export type PublishedInMemory = MemorySink & { readonly asked: readonly string[] }

/** Gives a tree in memory of what a filtered repository holds. */
export async function publishInMemory(given: Given): Promise<PublishedInMemory> {
  const { packages = [], files = {}, options = { suites: ['stable'] } } = given
  const blobs = new Map<string, Uint8Array>()
  const asked: string[] = []
  const stored = Object.entries(files).map(([path, text]): StoredFile => {
    const bytes = Buffer.from(text)
    const digest = parseSha256(createHash('sha256').update(bytes).digest('hex'))
    blobs.set(digest, bytes)
    return { path: parseRelativePath(path), digest, size: bytes.byteLength }
  })
  const sorted = packages.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const input: AptPublishInput = {
    repository,
    options: aptOptions.parse(options),
    mode: 'filtered',
    packageCount: packages.length,
    outlines: () => each([sorted.map(storedPackage)]),
    packages: (among) => each(sorted.map(storedPackage).filter(({ key }) => !among || among.includes(key))),
    records: async function* (_, terms) {
      const all = sorted.map(({ key, stanza }) => ({ key: key as PackageKey, bytes: stanza }))
      for await (const record of recordsAmong(all, terms)) {
        asked.push(record.key)
        yield record
      }
    },
    recipe: 'recipe',
    earlier: given.earlier ?? null,
    files: stored,
    signer: null,
    now: given.now ?? new Date('2026-01-01T00:00:00Z'),
    limits: smallLimits,
    reporter: { report: () => {} },
    read: (digest) => each([blobs.get(digest) ?? Buffer.of()]),
  }
  const sink = new MemorySink()
  await publishApt(input, sink)
  return Object.assign(sink, { asked })
}

/** A tree in memory as the one that the next is made beside. */
export function earlierOf(sink: MemorySink): EarlierTree {
  return {
    notes: sink.notes,
    async read(path, range) {
      const bytes = sink.bytes(path)
      return range ? Uint8Array.from(bytes.subarray(range.start, range.start + range.size)) : bytes
    },
  }
}

function storedPackage({
  key,
  name,
  path,
  stanza,
  attributes,
}: GivenPackage): RevisionPackage<AptAttributes> {
  const digest = parseSha256('ab'.repeat(32))
  return {
    key: key as PackageKey,
    name,
    version: '1',
    architecture: 'amd64',
    builtAt: null,
    identity: createHash('sha256').update(stanza).digest('base64url'),
    addedIn: 1,
    repository,
    signature: null,
    attributes,
    files: [{ path: parseRelativePath(path), digest, size: 1 }],
  }
}

async function* each<T>(items: readonly T[]) {
  yield* items
}
