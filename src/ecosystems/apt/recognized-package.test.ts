import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { UpstreamPackage } from '../../core/model.ts'
import { type GivenIndex, openListing } from './listing.test-support.ts'

interface Entry {
  readonly name: string
  readonly version?: string
  readonly architecture?: string
  readonly path?: string
  readonly more?: string
  readonly checksum?: 'SHA256' | 'SHA1'
}

function stanzaText({ name, version = '1.0', architecture = 'amd64', more = '', ...rest }: Entry): string {
  const { path = `pool/${name}_${version}_${architecture}.deb`, checksum = 'SHA256' } = rest
  const hex = createHash(checksum).update(`${name} ${version} ${path} ${more}`).digest('hex')
  return `Package: ${name}
Version: ${version}
Architecture: ${architecture}
${more}Filename: ${path}
Size: 10
${checksum}: ${hex}
Description: ${name}
 Filename: elsewhere
`
}

const index = (entries: readonly Entry[], terms: Omit<GivenIndex, 'bytes'> = {}): GivenIndex => ({
  ...terms,
  bytes: Buffer.from(entries.map(stanzaText).join('\n')),
})

/** What the listing of indexes gives, and warns of. */
async function list(
  indexes: readonly GivenIndex[],
  held: readonly UpstreamPackage[] = [],
  options: object = {},
) {
  const unchanged = new Map(held.map(({ identity, key }) => [identity, key]))
  const { listing, warnings } = openListing(indexes, { options, unchanged })
  const found: { whole: UpstreamPackage[]; unchanged: string[] } = { whole: [], unchanged: [] }
  for await (const pkg of listing.read())
    if ('isUnchanged' in pkg) found.unchanged.push(pkg.key)
    else found.whole.push(pkg)
  const records: string[] = []
  for await (const { key } of listing.records(new Set(found.whole.map(({ key }) => key)))) records.push(key)
  return { ...found, warnings, records }
}

const plain: readonly Entry[] = [{ name: 'a' }, { name: 'b', version: '2:1.0~rc1+x' }, { name: 'c' }]
const keysOf = ({ whole, unchanged }: Awaited<ReturnType<typeof list>>) =>
  [...whole.map(({ key }) => key), ...unchanged].sort()

describe('stanzas that are held as they are', () => {
  it('are not read', async () => {
    const { whole: held } = await list([index(plain)])

    const again = await list([index(plain)], held)

    expect(again).toEqual({ whole: [], unchanged: held.map(({ key }) => key), warnings: [], records: [] })
  })

  it('stand beside those that are new, or not as they were, whose records are found', async () => {
    const { whole: held } = await list([index(plain)])
    const entries = [
      { name: 'new' },
      { name: 'a' },
      { name: 'b', version: '3' },
      { name: 'c', more: 'Tag: x\n' },
    ]

    const { whole, unchanged, records } = await list([index(entries)], held)

    expect(unchanged).toEqual(['stable/main/a_1.0_amd64'])
    expect(whole.map(({ key }) => key)).toEqual([
      'stable/main/new_1.0_amd64',
      'stable/main/b_3_amd64',
      'stable/main/c_1.0_amd64',
    ])
    expect(records).toEqual(whole.map(({ key }) => key))
  })

  it.each([
    ['component', { component: 'contrib' }],
    ['index, that of the installer,', { isUdeb: true }],
  ])('are read where they stand in another %s', async (_, elsewhere) => {
    const { whole: held } = await list([index(plain)])

    const moved = await list([index(plain, elsewhere)], held)

    expect(moved.unchanged).toEqual([])
    expect(keysOf(moved)).toEqual(keysOf(await list([index(plain, elsewhere)])))
  })

  const all = { name: 'data', architecture: 'all' }
  it.each<[string, readonly GivenIndex[]]>([
    ['SHA-1 vouches for one', [index([...plain, { name: 'weak', checksum: 'SHA1' }])]],
    ['one cannot be read', [index([...plain, { name: 'd', version: '' }])]],
    ['a path is written oddly', [index([...plain, { name: 'd', path: './pool//d.deb' }])]],
    ['one is listed twice', [index([...plain, { name: 'a' }])]],
    ['there are two of one version', [index([...plain, { name: 'a', path: 'pool/more/a.deb' }])]],
    [
      'two have one path',
      [
        index([
          ...plain,
          { name: 'd', path: 'pool/a_1.0_amd64.deb' },
          { name: 'e', path: 'pool/c_1.0_amd64.deb' },
        ]),
      ],
    ],
    ['two indexes list one', [index([...plain, all]), index([all], { architecture: 'arm64' })]],
  ])('are warned of as the first time, and give the same, where %s', async (_, indexes) => {
    const first = await list(indexes)

    const second = await list(indexes, first.whole)

    expect(second.warnings).toEqual(first.warnings)
    expect(keysOf(second)).toEqual(keysOf(first))
  })

  it.each<[string, Entry]>([
    ['of the same path', { name: 'd', path: 'pool/a_1.0_amd64.deb' }],
    ['of the same version', { name: 'a', path: 'pool/more/a.deb' }],
  ])('are read where something new %s comes', async (_, more) => {
    const { whole: held } = await list([index(plain)])
    const indexes = [index([...plain, more])]

    const [recognizing, reading] = [await list(indexes, held), await list(indexes)]

    const identities = ({ whole }: typeof reading) => whole.map(({ key, identity }) => [key, identity])
    expect(recognizing.unchanged).toEqual([])
    expect(identities(recognizing)).toEqual(identities(reading))
    expect(recognizing.warnings).toEqual(reading.warnings)
  })

  it('are read where an update is held back', async () => {
    const options = { phased_updates: 'hold' }
    const { whole: held } = await list([index(plain)], [], options)
    const update = { name: 'a', version: '1.1', more: 'Phased-Update-Percentage: 10\n' }

    const { unchanged } = await list([index([...plain, update])], held, options)

    expect(unchanged).toEqual([])
  })
})
