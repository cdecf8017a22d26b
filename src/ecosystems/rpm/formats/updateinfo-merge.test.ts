import { describe, expect, it } from 'vitest'
import { type ByteSource, readWhole } from '../../../core/bytes.ts'
import { type Advisory, readAdvisories } from './updateinfo.ts'
import { mergeUpdateinfo } from './updateinfo-merge.ts'

const pkg = (name: string) =>
  `<package name="${name}" epoch="0" version="1" release="1" arch="noarch"><filename>${name}.rpm</filename></package>`

const advisory = (id: string, updated: string, title: string, ...collections: readonly string[]) =>
  `<update type="security"><id>${id}</id><title>${title}</title><updated date="${updated}"/><pkglist>${collections
    .map((names) => `<collection short="c"><name>c</name>${names.split(' ').map(pkg).join('')}</collection>`)
    .join('')}</pkglist></update>`

const document = (...advisories: readonly string[]) => {
  const bytes = Buffer.from(`<?xml version="1.0"?>\n<updates>${advisories.join('\n')}</updates>`)
  const open = async function* (): ByteSource {
    yield bytes
  }
  return { open }
}

const fail = (_: unknown, error: Error): never => {
  throw error
}

async function read(source: ByteSource): Promise<readonly Advisory[]> {
  const all: Advisory[] = []
  for await (const advisory of readAdvisories(source)) all.push(advisory)
  return all
}

const packagesOf = ({ collections }: Advisory) =>
  collections.flatMap(({ packages }) => packages.map(({ name }) => name))

const base = document(
  advisory('A-1', '2026-01-01', 'older words', 'bear'),
  advisory('A-2', '2026-01-02', 'alone', 'cat'),
)
const stream = document(
  advisory('A-3', '2026-01-03', 'other', 'dog'),
  advisory('A-1', '2026-02-01', 'newer words', 'bear', 'wolf lion'),
)

describe('mergeUpdateinfo', () => {
  it('passes a single document on as it is', async () => {
    expect(Buffer.from(await readWhole(mergeUpdateinfo([base], fail)))).toEqual(await readWhole(base.open()))
  })

  it('has every advisory once', async () => {
    const merged = await read(mergeUpdateinfo([base, stream], fail))

    expect(merged.map(({ id }) => id).sort()).toEqual(['A-1', 'A-2', 'A-3'])
  })

  it('gives a shared one the newest words, and the packages of all, equal collections once', async () => {
    const merged = await read(mergeUpdateinfo([base, stream], fail))
    const shared = merged.find(({ id }) => id === 'A-1')

    expect(shared?.title).toBe('newer words')
    expect(shared && packagesOf(shared)).toEqual(['bear', 'wolf', 'lion'])
  })

  const referring = (updated: string, references: string) =>
    document(
      `<update type="security"><id>A-1</id><updated date="${updated}"/>${references}<pkglist><collection>${pkg(updated)}</collection></pkglist></update>`,
    )
  const reference = (type: string, id: string, title: string) =>
    `<reference type="${type}" id="${id}" href="https://example.org/${id}" title="${title}"/>`

  it.each([
    ['a list', `<references>\n${reference('cve', 'CVE-2026-0002', 'newer')}\n</references>`, ['newer']],
    ['an empty list', '<references/>', []],
    ['no list', '', []],
  ])(
    'gives a shared one the references of all, those of the newest first, each once: %s',
    async (_, own, first) => {
      const older = referring(
        '2026-01-01',
        `<references>${reference('cve', 'CVE-2026-0001', 'older')}${reference('bugzilla', 'CVE-2026-0002', 'bug')}${reference('cve', 'CVE-2026-0002', 'older')}</references>`,
      )

      const [shared, ...others] = await read(mergeUpdateinfo([older, referring('2026-02-01', own)], fail))

      expect(others).toEqual([])
      expect(shared?.references.map(({ id, title }) => [id, title])).toEqual([
        ...first.map((title) => ['CVE-2026-0002', title]),
        ['CVE-2026-0001', 'older'],
        ['CVE-2026-0002', 'bug'],
        ...(first.length === 0 ? [['CVE-2026-0002', 'older']] : []),
      ])
      expect(shared && packagesOf(shared)).toEqual(['2026-02-01', '2026-01-01'])
    },
  )

  it('takes words from the first of two that were updated at once', async () => {
    const merged = await read(
      mergeUpdateinfo(
        [
          document(advisory('A-1', '2026-01-01', 'first', 'bear')),
          document(advisory('A-1', '2026-01-01', 'second', 'cat')),
        ],
        fail,
      ),
    )

    expect(merged.map(({ title }) => title)).toEqual(['first'])
    expect(merged.flatMap(packagesOf)).toEqual(['bear', 'cat'])
  })

  it('gives packages to one that had no list', async () => {
    const bare = document('<update><id>A-1</id><updated date="2026-05-01"/></update>')
    const merged = await read(mergeUpdateinfo([bare, base], fail))

    expect(packagesOf(merged.find(({ id }) => id === 'A-1') ?? failed())).toEqual(['bear'])
  })

  it('unites the others without what breaks off, and tells of it', async () => {
    const torn = document(`${advisory('A-3', '2026-03-01', 'torn', 'dog')}<update`)
    const told: unknown[] = []

    const merged = await read(
      mergeUpdateinfo([base, torn, stream], (document, { message }) => told.push([document, message])),
    )

    expect(merged.map(({ id, title }) => [id, title])).toEqual([
      ['A-2', 'alone'],
      ['A-3', 'other'],
      ['A-1', 'newer words'],
    ])
    expect(told).toEqual([[torn, expect.stringMatching(/^updateinfo\.xml: /)]])
  })
})

function failed(): never {
  throw new Error('not there')
}
