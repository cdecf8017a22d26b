import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createDatabase } from '../../../tests/servers/postgresql.ts'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import { exported, imported, linesOf, openSource, repositoriesAt } from './transfer.test-support.ts'

const server = inject('postgresql')

describe('an export', () => {
  let upstream: Upstream
  let source: Site
  beforeAll(async () => {
    upstream = await startDemoUpstream()
    source = await openSource(upstream)
  })
  afterAll(async () => {
    await source[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  it.each(['json', 'yaml', 'json.gz', 'json.zst', 'yaml.gz', 'yaml.zst'])(
    'in %s is the same again after it was imported',
    async (as) => {
      await using target = await openSite({ repositories: repositoriesAt(upstream) })
      const bytes = await exported(source, [], as)

      const result = await imported(target, bytes)

      expect(result).toMatchObject({
        catalog: source.context.catalog.id,
        isCatalogTakenOver: true,
        repositories: [
          { id: 'generated', status: 'added', revisions: 2, snapshots: 1, packages: 8 },
          { id: 'mirrored', status: 'added', revisions: 2, snapshots: 1, packages: 8 },
        ],
        viewSnapshots: [{ source: 'both@before', status: 'added' }],
      })
      expect((await exported(target, [], as)).equals(bytes)).toBe(true)
      expect((await exported(source, [], as)).equals(bytes)).toBe(true)
    },
  )

  it.skipIf('missing' in server)('is the same in the other database and back', async () => {
    if ('missing' in server) return
    await using there = await openSite({
      repositories: repositoriesAt(upstream),
      database: await createDatabase(server),
    })
    await using back = await openSite({ repositories: repositoriesAt(upstream) })
    const bytes = await exported(source)

    await imported(there, bytes)
    const between = await exported(there)
    await imported(back, between)

    expect(between.equals(bytes)).toBe(true)
    expect((await exported(back)).equals(bytes)).toBe(true)
  })

  it('is one JSON document with a line for each item, and tells history and native records', async () => {
    const bytes = await exported(source)

    const { chantal_export, catalog, items } = JSON.parse(bytes.toString())
    const types = (items as { type: string }[]).map(({ type }) => type)
    expect([chantal_export, catalog]).toEqual([1, source.context.catalog.id])
    expect(linesOf(bytes)).toHaveLength(items.length + 3)
    expect(
      Object.entries(Object.groupBy(types, (type) => type)).map(([type, all]) => [type, all?.length]),
    ).toEqual(
      expect.arrayContaining([
        ['repository', 2],
        ['revision', 4],
        ['package', 16],
        ['snapshot', 2],
        ['sync', 5],
        ['end', 1],
      ]),
    )
    const withRecords = linesOf(bytes).filter((line) => line.includes('"part":"primary","text":"<package'))
    expect(withRecords).toHaveLength(8)
    expect(bytes.includes(source.folder)).toBe(false)
  })

  it('tells nothing of a revision that is being made', async () => {
    const before = await exported(source)

    const { catalog } = source.context
    const record = await catalog.read((reader) => reader.repositories())
    for (const { id, latest } of record) {
      if (!latest) continue
      const held = await catalog.read((reader) => reader.heldPackages(latest))
      await catalog.write(async (writer) => {
        const open = await writer.openRevision(id)
        await writer.removePackages(open, [...held.keys()])
        await writer.setFiles(open, [])
      })
    }

    expect((await exported(source)).equals(before)).toBe(true)
  })

  it('of some repositories has no id for another catalog to take over', async () => {
    await using target = await openSite({ repositories: repositoriesAt(upstream) })
    const own = target.context.catalog.id

    const bytes = await exported(source, ['gen*'])
    const result = await imported(target, bytes)

    expect(result).toMatchObject({ catalog: own, isCatalogTakenOver: false })
    expect(result.repositories.map(({ id }) => id)).toEqual(['generated'])
    expect(result.viewSnapshots).toEqual([])
    expect((await exported(target, ['generated'])).equals(bytes)).toBe(true)
    await expect(exported(source, ['genrated'])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'Did you mean "generated"?',
    })
  })
})
