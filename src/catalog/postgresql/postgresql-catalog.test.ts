import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { createDatabase } from '../../../tests/servers/postgresql.ts'
import { describeCatalog } from '../catalog.contract.ts'
import { openCatalog } from '../open-catalog.ts'
import { describeUpkeep } from '../upkeep.contract.ts'

const server = inject('postgresql')
const mayMiss = process.env['CHANTAL_TEST_REQUIRE_ALL'] !== '1'
const now = () => new Date()

if ('missing' in server && mayMiss) {
  describe.skip(`the PostgreSQL catalog (${server.missing})`, () => {
    it('needs a server', () => {})
  })
} else {
  const locate = async () => ({
    kind: 'postgresql' as const,
    url: await createDatabase(server),
    password: null,
  })
  describeCatalog('the PostgreSQL catalog', locate)
  describeUpkeep('the PostgreSQL catalog', locate)

  describe('the PostgreSQL server', () => {
    it.each([
      ['a wrong password', (url: URL) => Object.assign(url, { password: 'not-the-secret' }), null],
      ['a database that is not there', (url: URL) => Object.assign(url, { pathname: '/absent' }), null],
      ['no server', (url: URL) => Object.assign(url, { port: '1' }), 'unused-secret'],
    ])('is unavailable with %s, and no message tells the password', async (_, change, password) => {
      const url = change(await createDatabase(server))

      const error: unknown = await openCatalog({ url: { kind: 'postgresql', url, password }, now }).catch(
        (thrown: unknown) => thrown,
      )

      expect(error).toMatchObject({ code: 'CATALOG_UNAVAILABLE' })
      expect(`${error} ${JSON.stringify(error)}`).not.toMatch(/secret|of the tests|of%20the%20tests/)
    })

    it('is unavailable where a connection breaks between two queries, and is there again afterwards', async () => {
      const url = await createDatabase(server)
      await using catalog = await openCatalog({ url: { kind: 'postgresql', url, password: null }, now })

      const reading = catalog.read(async (reader) => {
        await reader.counts()
        await endConnections(url)
        await reader.counts()
      })

      await expect(reading).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' })
      expect((await catalog.read((reader) => reader.counts())).blobs).toBe(0)
    })

    it.each([null, ''])(
      'says where a password goes when the server wants one and it is %j',
      async (password) => {
        vi.stubEnv('PGPASSWORD', undefined)
        onTestFinished(() => void vi.unstubAllEnvs())
        const url = Object.assign(await createDatabase(server), { password: '' })

        await expect(openCatalog({ url: { kind: 'postgresql', url, password }, now })).rejects.toMatchObject({
          code: 'CATALOG_UNAVAILABLE',
          message: expect.stringContaining('the server wants a password, and there is none'),
          hint: expect.stringMatching(/PGPASSWORD.*database\.password_file/),
        })
      },
    )

    it('takes the password from beside the URL', async () => {
      const url = await createDatabase(server)
      const password = decodeURIComponent(url.password)
      url.password = ''

      await using catalog = await openCatalog({ url: { kind: 'postgresql', url, password }, now })

      expect(catalog.id).not.toBe('')
    })
  })
}

/** As a restart of the server does. Returns when those who had the connections have been told. */
async function endConnections(url: URL): Promise<void> {
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )
  await client.end()
  await sleep(200)
}
