import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseSha256 } from '../../core/digest.ts'
import type { RepositoryId, UpstreamPackage } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { FetchedFile, ReadRequest } from '../ecosystem.ts'
import type { RepomdRecord } from './formats/repomd.ts'
import { type RpmOptions, rpmOptions } from './options.ts'
import { PackageListing } from './package-listing.ts'

interface Entry {
  readonly name: string
  readonly version?: string
  readonly file?: string
  readonly builtAt?: number
  readonly fileTime?: number
  readonly checksum?: 'sha256' | 'sha'
  readonly requires?: string
}

function entryText({ name, version = '1.0', builtAt = 1, fileTime = 5, ...rest }: Entry): string {
  const { file = `Packages/${name}-${version}-1.noarch.rpm`, checksum = 'sha256', requires = 'glibc' } = rest
  const algorithm = checksum === 'sha' ? 'sha1' : 'sha256'
  const hex = createHash(algorithm).update(`${name} ${version} ${file} ${builtAt}`).digest('hex')
  return `<package type="rpm">
  <name>${name}</name>
  <arch>noarch</arch>
  <version epoch="2" ver="${version}" rel="1"/>
  <checksum type="${checksum}" pkgid="YES">${hex}</checksum>
  <summary>It holds &lt;location href="elsewhere"/&gt;</summary>
  <time file="${fileTime}" build="${builtAt}"/>
  <size package="10" installed="1" archive="1"/>
  <location href="${file}"/>
  <format>
    <rpm:requires><rpm:entry name="${requires}"/></rpm:requires>
  </format>
</package>`
}

/** What the listing of some entries gives, and warns of. */
async function list(entries: readonly Entry[], held: readonly UpstreamPackage[], declared = entries.length) {
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${declared}">
${entries.map(entryText).join('\n')}
</metadata>`
  const bytes = Buffer.from(text)
  const file: FetchedFile = {
    path: parseRelativePath('repodata/primary.xml'),
    digest: parseSha256(createHash('sha256').update(bytes).digest('hex')),
    size: bytes.length,
    isUnchanged: false,
    bytes: async () => bytes,
    async *stream() {
      yield bytes
    },
  }
  const warnings: string[] = []
  const fail = () => Promise.reject(new Error('nothing is fetched'))
  const request: ReadRequest<RpmOptions> = {
    repository: 'test' as RepositoryId,
    options: rpmOptions.parse({}),
    mode: 'mirror',
    keepsRecords: false,
    filters: null,
    checkpoint: null,
    newestSeen: null,
    held: async () => [],
    unchanged: async () => new Map(held.map(({ identity, key }) => [identity, key])),
    metadata: { fetch: fail, fetchOptional: fail },
    verifier: null,
    limits: {
      rootDocument: 1e6,
      metadata: 1e9,
      package: 1e9,
      decompressedRatio: 100,
      decompressedMinimum: 1e9,
    },
    now: new Date(0),
    reporter: {
      report: (event) => {
        if (event.type === 'warning') warnings.push(`${event.code}: ${event.message}`)
      },
    },
    signal: new AbortController().signal,
  }
  const record: RepomdRecord = {
    type: 'primary',
    href: file.path,
    checksum: { algorithm: 'sha256', hex: file.digest },
    openChecksum: null,
    size: bytes.length,
    openSize: bytes.length,
    timestamp: null,
    xmlBase: null,
    databaseVersion: null,
    headerChecksum: null,
    headerSize: null,
  }
  const listing = new PackageListing(request, new Map([['primary', { record, file }]]), new Map())
  const [whole, unchanged]: [UpstreamPackage[], string[]] = [[], []]
  for await (const pkg of listing.read())
    if ('isUnchanged' in pkg) unchanged.push(pkg.key)
    else whole.push(pkg)
  return { whole, unchanged, warnings }
}

const plain: readonly Entry[] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

describe('entries that are held as they are', () => {
  it('are not read, whatever the time of their files', async () => {
    const { whole: held } = await list(plain, [])

    const again = await list(
      plain.map((entry) => ({ ...entry, fileTime: 77 })),
      held,
    )

    expect(again).toEqual({ whole: [], unchanged: held.map(({ key }) => key), warnings: [] })
  })

  it('stand beside those that are new, or not as they were', async () => {
    const { whole: held } = await list(plain, [])

    const { whole, unchanged } = await list(
      [{ name: 'new' }, { name: 'a' }, { name: 'b', requires: 'musl' }, { name: 'c', version: '1.1' }],
      held,
    )

    expect(unchanged).toEqual(['a-2:1.0-1.noarch'])
    expect(whole.map(({ key }) => key)).toEqual([
      'new-2:1.0-1.noarch',
      'b-2:1.0-1.noarch',
      'c-2:1.1-1.noarch',
    ])
  })

  it.each<[string, readonly Entry[], number | undefined]>([
    ['SHA-1 vouches for one', [...plain, { name: 'weak', checksum: 'sha' }], undefined],
    ['one is not named after its package', [...plain, { name: 'd', file: 'Packages/other.rpm' }], undefined],
    ['a path is written oddly', [...plain, { name: 'd', file: './d-1.0-1.noarch.rpm' }], undefined],
    ['more are announced', plain, 7],
    ['one is listed twice', [...plain, { name: 'a' }], undefined],
    [
      'several files are of one version',
      [...plain, { name: 'a', file: 'more/a-1.0-1.noarch.rpm', builtAt: 9 }],
      undefined,
    ],
    [
      'different packages have one path',
      [...plain, { name: 'a', builtAt: 9, requires: 'musl' }, { name: 'b', builtAt: 0, requires: 'musl' }],
      undefined,
    ],
  ])('are warned of as the first time, and give the same, where %s', async (_, entries, declared) => {
    const first = await list(entries, [], declared)

    const second = await list(entries, first.whole, declared)

    expect(second.warnings).toEqual(first.warnings)
    expect([...second.whole.map(({ key }) => key), ...second.unchanged].sort()).toEqual(
      first.whole.map(({ key }) => key).sort(),
    )
  })

  it.each<[string, Entry]>([
    ['of the same path', { name: 'a', builtAt: 9, requires: 'musl' }],
    ['of the same version', { name: 'a', file: 'more/a-1.0-1.noarch.rpm', builtAt: 9 }],
  ])('are read where something new %s comes', async (_, more) => {
    const { whole: held } = await list(plain, [])
    const entries = [...plain, more]

    const recognizing = await list(entries, held)
    const reading = await list(entries, [])

    const identities = ({ whole }: typeof reading) => whole.map(({ key, identity }) => [key, identity])
    expect(recognizing.unchanged).toEqual([])
    expect(identities(recognizing)).toEqual(identities(reading))
    expect(recognizing.warnings).toEqual(reading.warnings)
  })
})
