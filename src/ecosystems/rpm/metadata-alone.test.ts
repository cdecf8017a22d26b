import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { rpmCases, rpmCorpus, whyNoRpmCorpus } from '../../../tests/support/rpm-corpus.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { collect } from '../../../tests/upstream/downloading.ts'
import { recordsAmong } from '../../codec/runs/made-records.test-support.ts'
import { type ByteSource, readWhole } from '../../core/bytes.ts'
import { parseSha256 } from '../../core/digest.ts'
import type { RepositoryId, RevisionPackage, StoredFile } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { PublicationSink, WrittenFile } from '../../core/publication.ts'
import type { FetchedFile } from '../ecosystem.ts'
import type { RpmAttributes } from './attributes.ts'
import { rpmOptions } from './options.ts'
import { publishRpm } from './publisher.ts'
import { readRpmUpstream } from './reader.ts'

const note = whyNoRpmCorpus === null ? '' : ` (skipped: ${whyNoRpmCorpus})`
const repository = 'bare' as RepositoryId
const limits = {
  rootDocument: 2 ** 25,
  metadata: 2 ** 30,
  decompressedRatio: 200,
  decompressedMinimum: 2 ** 26,
  package: 2 ** 34,
}

/** Repositories whose packages the corpus lacks: nothing can be synced, but what is generated of their metadata can be judged. */
const bare = rpmCases.filter(({ outcome }) => outcome === 'SYNC_INCOMPLETE')

it.skipIf(whyNoRpmCorpus).each(bare)(
  `generates again what the metadata of $path says${note}`,
  async ({ path }) => {
    const upstream = join(rpmCorpus, path)
    const target = await mkdtemp(join(tmpdir(), 'chantal-metadata-'))
    const blobs = new Map<string, Uint8Array>()
    const reporter = { report: () => {} }
    const keep = (name: RelativePath, bytes: Uint8Array): FetchedFile => {
      const digest = parseSha256(sha256(bytes))
      blobs.set(digest, bytes)
      const stream = () => once(bytes)
      return { path: name, digest, size: bytes.length, isUnchanged: false, bytes: async () => bytes, stream }
    }
    const fetchOptional = async (name: RelativePath) =>
      existsSync(join(upstream, name)) ? keep(name, await readFile(join(upstream, name))) : null
    const fetch = async (name: RelativePath) => (await fetchOptional(name)) ?? raise(`${path} has no ${name}`)
    const options = rpmOptions.parse({})
    const signal = new AbortController().signal

    const listing = await readRpmUpstream({
      repository,
      options,
      mode: 'filtered',
      keepsRecords: true,
      filters: null,
      checkpoint: null,
      newestSeen: null,
      held: async () => [],
      unchanged: async () => new Map(),
      metadata: { fetch, fetchOptional },
      verifier: null,
      limits,
      now: new Date(0),
      reporter,
      signal,
    })
    if (listing.status === 'unchanged') throw new Error('unchanged')
    const listed = (await collect(listing.packages)).flatMap((pkg) => ('isUnchanged' in pkg ? [] : [pkg]))
    const files = (await collect(listing.files())).map(async (file): Promise<StoredFile> => {
      return 'digest' in file ? file : await fetch(file.path)
    })
    const records = await collect(listing.records(new Set(listed.map(({ key }) => key))))
    const packages = listed
      .map((pkg) => {
        const { key, name, version, architecture, builtAt, attributes, identity } = pkg
        const [{ path: place, expect: promised }] = pkg.files
        const digest = parseSha256(
          promised.checksums.find(({ algorithm }) => algorithm === 'sha256')?.hex ??
            sha256(Buffer.from(place)),
        )
        const stored: RevisionPackage<RpmAttributes> = {
          ...{ key, name, version, architecture, builtAt, attributes, identity },
          repository,
          signature: null,
          addedIn: 1,
          files: [{ path: place, digest, size: promised.size ?? 0 }],
        }
        return stored
      })
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    await publishRpm(
      {
        repository,
        options,
        mode: 'filtered',
        packageCount: packages.length,
        outlines: () => each([packages]),
        packages: (among) => each(packages.filter(({ key }) => !among || among.includes(key))),
        records: (part, terms) =>
          recordsAmong(
            packages.map(({ key }) => ({
              key,
              bytes: records.find((record) => record.key === key && record.part === part)?.bytes ?? null,
            })),
            terms,
          ),
        files: await Promise.all(files),
        earlier: null,
        recipe: 'recipe',
        signer: null,
        now: new Date('2026-01-01T00:00:00Z'),
        limits,
        reporter,
        read: (digest) => once(blobs.get(digest) ?? raise(`no blob ${digest}`)),
      },
      sinkInto(target, blobs),
    )

    const before = await readRpmTree(upstream)
    const after = await readRpmTree(target)
    await rm(target, { recursive: true })
    const described = new Map(before.packages.map((pkg) => [pkg.primary.href, pkg]))
    const weak = before.packages.some(({ primary }) => primary.checksum.algorithm === 'sha1')
    const comparable = ({
      primary: { checksum, pkgid, ...primary },
      ...rest
    }: (typeof before.packages)[number]) =>
      weak ? { ...rest, primary } : { ...rest, primary: { ...primary, checksum, pkgid } }
    expect(after.packages.map(comparable)).toEqual([...described.values()].map(comparable))
    const types = (tree: typeof before) => new Set(tree.repomd.records.map(({ type }) => type))
    const isCarried = (type: string) => !/_(db|zck|gz)|delta|updateinfo|modules/.test(type)
    expect([...types(before)].filter(isCarried).filter((type) => !types(after).has(type))).toEqual([])
    expect(after.comps?.groups.map(({ id }) => id)).toEqual(before.comps?.groups.map(({ id }) => id))
  },
)

function sinkInto(folder: string, blobs: ReadonlyMap<string, Uint8Array>): PublicationSink {
  const put = async (path: string, bytes: Uint8Array) => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
  return {
    place: async () => {},
    note: () => {},
    alias: async (path, of) => put(path, await readFile(join(folder, of))),
    copy: ({ path, digest }) => put(path, blobs.get(digest) ?? raise(`no blob ${digest}`)),
    async write(path, content) {
      const bytes =
        typeof content === 'string' || content instanceof Uint8Array
          ? Buffer.from(content)
          : await readWhole(content)
      const written: Omit<WrittenFile, 'path'> = {
        size: bytes.length,
        checksums: [{ algorithm: 'sha256', hex: sha256(bytes) }],
      }
      const place = typeof path === 'function' ? path(written) : path
      await put(place, bytes)
      return { ...written, path: place }
    },
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function* once(bytes: Uint8Array): ByteSource {
  yield bytes
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

function raise(message: string): never {
  throw new Error(message)
}
