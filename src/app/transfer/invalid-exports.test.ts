import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { openFile } from './import-catalog.ts'
import { collect, exported, imported, inPieces, repositoriesAt } from './transfer.test-support.ts'

type Items = Record<string, unknown>[]

/** One revision of one repository, without history, as JSON has it. */
const exportOfOne = once(async () => {
  await using upstream = await startDemoUpstream()
  await using source = await openSite({ repositories: repositoriesAt(upstream) })
  await source.sync('generated')
  const document: { items: Items } = JSON.parse((await exported(source)).toString())
  return JSON.stringify(document.items.filter(({ type }) => type !== 'sync'))
})

async function edited(edit: (items: Items) => unknown): Promise<Buffer> {
  const items: Items = JSON.parse(await exportOfOne())
  edit(items)
  const lines = items.map((item) => JSON.stringify(item)).join(',\n')
  return Buffer.from(`{"chantal_export":1,"catalog":null,"items":[\n${lines}\n]}`)
}

describe('a repository that cannot be', () => {
  let target: Site
  beforeAll(async () => {
    target = await openSite({ repositories: [] })
  })
  afterAll(() => target[Symbol.asyncDispose]())

  const edits: readonly (readonly [name: string, edit: (items: Items) => unknown, message: RegExp])[] = [
    [
      'a path that leads out',
      (items) => set(items, 'package', 'files.0.path', '../x'),
      /^line \d+: path leaves/,
    ],
    [
      'a digest that is none',
      (items) => set(items, 'package', 'files.0.sha256', 'x'),
      /files\[0\]\.sha256: not a SHA-256/,
    ],
    ['an id that is none', (items) => set(items, 'repository', 'id', 'import:x'), /^line 2: id: not an id/],
    [
      'a time that is none',
      (items) => set(items, 'revision', 'sealed_at', '2026'),
      /^line 3: sealed_at: not a time/,
    ],
    ['a name with a zero byte', (items) => set(items, 'package', 'name', 'a\u0000'), /: name: not a text/],
    ['a field that nobody knows', (items) => set(items, 'package', 'x', 1), /unrecognized key/],
    [
      'an item that nobody knows',
      (items) => items.splice(3, 0, { type: 'view' }),
      /^line 5: no item is of type "view"/,
    ],
    [
      'a first revision that is not 1',
      (items) => set(items, 'revision', 'number', 2),
      /revision 2, where 1 is the next/,
    ],
    ['a revision that there is not', (items) => set(items, 'package', 'added_in', 2), /no revisions from 2/],
    [
      'an end before the beginning',
      (items) => set(items, 'package', 'removed_in', 1),
      /no revisions from 1 to 1/,
    ],
    [
      'a latest revision that is not kept',
      (items) => set(items, 'revision', 'pruned_at', '2026-01-01T00:00:00.000Z'),
      /latest revision is not kept/,
    ],
    [
      'another number of packages',
      (items) => set(items, 'revision', 'packages', 5),
      /has 6 packages, and should have 5/,
    ],
    [
      'packages out of order',
      (items) => items.splice(-1, 0, ...items.splice(items.findIndex(isPackage), 1)),
      /is out of order/,
    ],
    [
      'a package twice',
      (items) => items.splice(items.findIndex(isPackage), 0, items.find(isPackage) ?? {}),
      /is twice in revision 1/,
    ],
    [
      'a revision after a package',
      (items) => items.splice(-1, 0, items[1] ?? fail('revision')),
      /a revision after a package/,
    ],
    [
      'a snapshot of a revision that is not kept',
      (items) => items.splice(-1, 0, snapshotOf(7)),
      /names revision 7, which is not kept/,
    ],
    ['a snapshot twice', (items) => items.splice(-1, 0, snapshotOf(1), snapshotOf(1)), /a second snapshot x/],
    [
      'native records in two ways',
      (items) => set(items, 'package', 'records.0.base64', 'aGk='),
      /either `text` or `base64`/,
    ],
    [
      'native records with more in them than one entry',
      (items) =>
        set(items, 'package', 'records.0.text', '<package></package><package><name>x</name></package>'),
      /the native record filelists of .* is not one plain element/,
    ],
    [
      'a native record that leaves where it is put',
      (items) => set(items, 'package', 'records.0.text', '<package><a/></package></filelists><!--'),
      /the native record filelists of .* is not one plain element/,
    ],
    [
      'native records of another ecosystem',
      (items) => set(items, 'package', 'records.0.part', 'stanza'),
      /the native record stanza of .* is no part of an RPM package/,
    ],
    [
      'a key that no database indexes',
      (items) => set(items, 'package', 'key', 'a'.repeat(2401)),
      /: key: longer than 2400/,
    ],
    [
      'a size that contradicts another',
      (items) => set(items, 'package', 'files.0', { ...fileOf(items, 1), path: 'x', size: 1 }),
      /another size/,
    ],
  ]

  it.each(edits)('since it has %s is refused, and leaves nothing', async (_, edit, message) => {
    const importing = imported(target, await edited(edit))

    await expect(importing).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      message: expect.stringMatching(message),
    })
    const { blobs } = await target.context.catalog.read((reader) => reader.counts())
    expect(blobs).toBe(0)
    expect(await target.context.catalog.read((reader) => reader.openImports())).toEqual([])
    expect(await target.context.catalog.read((reader) => reader.repositories())).toEqual([])
  })

  it('is none where the items were left alone', async () => {
    await using other = await openSite({ repositories: [] })

    const result = await imported(other, await edited(() => {}))

    expect(result.repositories.map(({ status }) => status)).toEqual(['added'])
  })
})

describe('what is no export', () => {
  it.each<[string, (items: Items) => unknown, RegExp]>([
    [
      'a repository twice',
      (items) => items.splice(-1, 0, items[0] ?? {}),
      /repository generated after generated/,
    ],
    [
      'another number of repositories',
      (items) => set(items, 'end', 'repositories', 2),
      /1 repositories, and should be 2/,
    ],
    [
      'another number of snapshots of views',
      (items) => set(items, 'end', 'view_snapshots', 1),
      /0 snapshots of views, and should be 1/,
    ],
    [
      'a snapshot of a view whose member is not kept',
      (items) => items.splice(-1, 0, viewSnapshotOf('generated', 7)),
      /el@x: revision 7 of generated is not kept/,
    ],
    [
      'a snapshot of a view without its member',
      (items) => items.splice(-1, 0, viewSnapshotOf('other', 1)),
      /el@x: revision 1 of other is not kept/,
    ],
    [
      'a repository after snapshots of views',
      (items) => items.splice(-1, 0, viewSnapshotOf('generated', 1), { ...items[0], id: 'later' }),
      /a repository after snapshots of views/,
    ],
    ['an item after the end', (items) => items.push({ ...items.at(-1) }), /after the end/],
    ['a package of no repository', (items) => items.splice(0, 2), /a (file|package) of no repository/],
  ])('is refused where that shows: %s', async (_, edit, message) => {
    await using target = await openSite({ repositories: [] })

    const importing = imported(target, await edited(edit))

    await expect(importing).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it.each([
    ['{"chantal_export":2,"catalog":null,"items":[]}', /version 2; this program knows 1/],
    ['{"items":[{"type":"end","repositories":0}]}', /not an export/],
    ['{"chantal_export":1,"catalog":"x","items":[]}', /catalog: /],
    ['---\nchantal_export: 1\ncatalog: null\n---\ntype: [', /^line 5: not YAML/],
    ['', /nothing is there/],
    ['repositories:\n- a\n', /not an export/],
  ])('is refused: %j', async (text, message) => {
    const reading = (async () => {
      const { items } = await openFile(inPieces(Buffer.from(text)), null)
      return collect(items)
    })()

    await expect(reading).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it.each(['json', 'yaml', 'json.zst', 'yaml.gz'] as const)(
    'is what %s leaves where it is cut off',
    async (as) => {
      await using upstream = await startDemoUpstream()
      await using source = await openSite({ repositories: repositoriesAt(upstream) })
      await source.sync('mirrored')
      const bytes = await exported(source, [], as)

      for (const end of [-3, -60, -(bytes.length >> 1)]) {
        const reading = (async () => {
          const { items } = await openFile(inPieces(bytes.subarray(0, end)), as)
          return collect(items)
        })()
        await expect(reading).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
      }
    },
  )
})

const isPackage = ({ type }: Record<string, unknown>) => type === 'package'

const fileOf = (items: Items, index: number): object =>
  Object.values(items.filter(isPackage)[index]?.['files'] ?? fail('no files'))[0]

const snapshotFacts = {
  name: 'x',
  created_at: '2026-01-01T00:00:00.000Z',
  created_by: null,
  description: null,
  labels: {},
  pinned: false,
}

const snapshotOf = (revision: number) => ({ type: 'snapshot', revision, ...snapshotFacts })

const viewSnapshotOf = (repository: string, revision: number) => ({
  type: 'view_snapshot',
  view: 'el',
  members: [{ repository, revision }],
  ...snapshotFacts,
})

/** Sets a field, named with dots, of the first item of a type. */
function set(items: Items, type: string, field: string, value: unknown): void {
  const steps = field.split('.')
  const last = steps.pop() ?? ''
  let place: unknown = items.find((item) => item['type'] === type)
  for (const step of steps) place = Object.entries(place ?? {}).find(([name]) => name === step)?.[1]
  Object.assign(place ?? fail(field), { [last]: value })
}

function fail(what: string): never {
  throw new Error(what)
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => {
    made ??= make()
    return made
  }
}
