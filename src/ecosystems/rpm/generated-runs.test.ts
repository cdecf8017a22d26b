import { describe, expect, it } from 'vitest'
import { recordsAmong } from '../../codec/runs/made-records.test-support.ts'
import { parseSha256 } from '../../core/digest.ts'
import type { PackageKey, RepositoryId, RevisionPackage } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { type EarlierTree, TreeIncomplete } from '../../core/publication.ts'
import { MemorySink } from '../../publish/memory-sink.ts'
import type { RpmAttributes } from './attributes.ts'
import { rpmOptions } from './options.ts'
import { publishRpm, type RpmPublishInput, renewRpm } from './publisher.ts'

const digest = parseSha256('ab'.repeat(32))
const now = new Date('2026-01-01T00:00:00Z')
const later = new Date('2026-02-02T00:00:00Z')

function packageAt(index: number, said: string): RevisionPackage<RpmAttributes> {
  const name = `package-${String(index).padStart(5, '0')}`
  const path = parseRelativePath(`Packages/${name}.rpm`)
  const attributes = {
    ...{ summary: null, license: null, vendor: null, group: null, source_rpm: null, url: null },
    ...{ installed_bytes: null, checksum: `sha256:${digest}` },
  }
  return {
    ...{
      key: name as PackageKey,
      name,
      version: '0:1-1',
      architecture: 'noarch',
      builtAt: null,
      identity: `${name} ${said}`,
      addedIn: 1,
    },
    ...{
      repository: 'runs' as RepositoryId,
      signature: null,
      attributes,
      files: [{ path, digest, size: 1 }],
    },
  }
}

async function* each<T>(items: readonly T[]) {
  yield* items
}

/** Publishes 2000 packages, one of which says `text`. */
async function published(
  text: string,
  options: { earlier?: EarlierTree; compression?: 'gzip' | 'zstd' } = {},
) {
  const saidBy = (index: number) => (index === 1000 ? text : 'the same')
  const packages = Array.from({ length: 2000 }, (_, index) => packageAt(index, saidBy(index)))
  const asked: string[] = []
  const input: RpmPublishInput = {
    ...{
      repository: 'runs' as RepositoryId,
      mode: 'filtered',
      packageCount: packages.length,
      files: [],
      now,
    },
    ...{ recipe: 'recipe', signer: null, reporter: { report: () => {} }, earlier: options.earlier ?? null },
    options: rpmOptions.parse({ compression: options.compression ?? 'gzip' }),
    limits: { rootDocument: 1, metadata: 1, decompressedRatio: 1, decompressedMinimum: 1, package: 1 },
    outlines: () => each([packages]),
    packages: (among) => each(packages.filter(({ key }) => !among || among.includes(key))),
    records: async function* (part, terms) {
      const all = packages.map(({ key, files: [{ path }] }, index) => {
        const inner = part === 'primary' ? `<location href="${path}"/>` : ''
        const entry = `<package pkgid="${digest}">${inner}${saidBy(index)}</package>`
        return { key, bytes: part === 'filelists-ext' ? null : Buffer.from(entry) }
      })
      for await (const record of recordsAmong(all, terms)) {
        if (record.bytes) asked.push(`${part} of ${record.key}`)
        yield record
      }
    },
    read: () => {
      throw new Error('nothing is read')
    },
  }
  const sink = new MemorySink()
  await publishRpm(input, sink)
  return Object.assign(sink, { asked })
}

function earlierOf(
  sink: MemorySink,
  damage: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): EarlierTree {
  return {
    notes: sink.notes,
    async read(path, range) {
      const bytes = sink.bytes(path)
      return range ? damage(Uint8Array.from(bytes.subarray(range.start, range.start + range.size))) : bytes
    },
  }
}

const allBytes = (sink: MemorySink) =>
  new Map(
    sink
      .paths()
      .flatMap((path) =>
        path.startsWith('repodata') ? [[path, Buffer.from(sink.bytes(path)).toString('hex')]] : [],
      ),
  )

describe.each(['gzip', 'zstd'] as const)('documents in %s runs', (compression) => {
  it('are the same bytes with an earlier tree, with another one, and without', async () => {
    const first = await published('one', { compression })
    const second = await published('two', { compression, earlier: earlierOf(first) })

    const third = await published('one', { compression, earlier: earlierOf(second) })

    expect(allBytes(third)).toEqual(allBytes(first))
    expect(allBytes(second)).toEqual(allBytes(await published('two', { compression })))
    expect(allBytes(second)).not.toEqual(allBytes(first))
  })

  it('take all but the package that changed from the earlier tree', async () => {
    const first = await published('one', { compression })

    const second = await published('two', { compression, earlier: earlierOf(first) })

    expect(first.asked).toHaveLength(6000)
    expect(second.asked.toSorted()).toEqual(
      ['filelists', 'other', 'primary'].map((part) => `${part} of package-01000`),
    )
  })

  it('are not made beside those that a disk has damaged', async () => {
    const first = await published('one', { compression })
    const damaged = earlierOf(first, (bytes) => bytes.fill(1, 0, 1))

    await expect(published('one', { compression, earlier: damaged })).rejects.toThrow(TreeIncomplete)
  })
})

it('renews a tree to what publishing it at that time would give', async () => {
  const first = await published('one')
  const sink = new MemorySink()

  await renewRpm({ mode: 'filtered', signer: null, now: later, earlier: earlierOf(first) }, sink)

  const seconds = (date: Date) => String(date.getTime() / 1000)
  expect(sink.paths()).toEqual(['repodata/repomd.xml'])
  expect(sink.text('repodata/repomd.xml')).toBe(
    first.text('repodata/repomd.xml').replaceAll(seconds(now), seconds(later)),
  )
})

it('leaves a verbatim tree as it is', async () => {
  const sink = new MemorySink()

  await renewRpm({ mode: 'mirror', signer: null, now, earlier: { notes: [], read: async () => null } }, sink)

  expect(sink.paths()).toEqual([])
})
