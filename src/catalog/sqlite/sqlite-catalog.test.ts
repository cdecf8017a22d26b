import { mkdir, mkdtemp, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { describeCatalog } from '../catalog.contract.ts'
import { addRevision, digestOf, packageOf } from '../catalog.fixtures.ts'
import { openCatalog } from '../open-catalog.ts'
import { describeUpkeep } from '../upkeep.contract.ts'

const now = () => new Date()
const newFile = async () => path.join(await mkdtemp(path.join(tmpdir(), 'chantal-catalog-')), 'chantal.db')
const open = (file: string) => openCatalog({ url: { kind: 'sqlite', file }, now })

describeCatalog('the SQLite catalog', async () => ({ kind: 'sqlite', file: await newFile() }))
describeUpkeep('the SQLite catalog', async () => ({ kind: 'sqlite', file: await newFile() }))

describe('the SQLite file', () => {
  it('is made with its folder, for its owner alone', async () => {
    const file = path.join(path.dirname(await newFile()), 'new', 'folder', 'chantal.db')

    await using _catalog = await open(file)

    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('holds no row that names another which is gone, whatever was removed', async () => {
    const file = await newFile()
    await using catalog = await open(file)
    const added = await addRevision(catalog, { packages: [packageOf('a', [1, 2]), packageOf('b', [3])] })
    await catalog.write((writer) =>
      writer.addBlobChecksums([
        { digest: digestOf(1), checksum: { algorithm: 'sha1', hex: 'a'.repeat(40) } },
      ]),
    )
    await addRevision(catalog, { removed: ['a'], sealedAt: new Date(2000) })

    const late = new Date(10_000)
    const pruned = await catalog.write((writer) => writer.pruneRevisions(late))
    const forgotten = await catalog.write((writer) => writer.forgetBlobs([1, 2, 3].map(digestOf), late))

    expect([added.number, pruned.revisions, forgotten.length]).toEqual([1, 1, 2])
    const database = new DatabaseSync(file)
    expect(database.prepare('pragma foreign_key_check').all()).toEqual([])
    expect(database.prepare('select count(*) as rows from package_file').get()).toEqual({ rows: 1 })
    expect(database.prepare('select count(*) as rows from blob_checksum').get()).toEqual({ rows: 0 })
    database.close()
  })

  it('is refused where a newer program has migrated it', async () => {
    const file = await newFile()
    await (await open(file))[Symbol.asyncDispose]()
    const database = new DatabaseSync(file)
    database.exec("insert into migration (number, name, applied_at) values (99, 'from the future', 0)")
    database.close()

    await expect(open(file)).rejects.toMatchObject({ code: 'CATALOG_TOO_NEW', details: { schema: 99 } })
  })

  it('is refused where it is no database', async () => {
    const file = await newFile()
    await writeFile(file, 'this is not a database, and longer than a hundred bytes '.repeat(10))

    await expect(open(file)).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' })
  })

  it.each(['dangling', 'file', '/proc/absent'])(
    'is not writable where no folder can be made in %s',
    async (name) => {
      const folder = path.dirname(await newFile())
      await symlink('absent/disk', path.join(folder, 'dangling'))
      await writeFile(path.join(folder, 'file'), '')

      for (const below of ['chantal.db', 'data/chantal.db']) {
        await expect(open(path.resolve(folder, name, below))).rejects.toMatchObject({
          code: 'NOT_WRITABLE',
          hint: expect.stringContaining('Is the disk mounted?'),
        })
      }
    },
  )

  it('is refused where a folder stands in its place', async () => {
    const file = await newFile()
    await mkdir(file)

    await expect(open(file)).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' })
  })
})
