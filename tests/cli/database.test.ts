import { existsSync } from 'node:fs'
import { copyFile, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CommandLine } from '../support/command-line.ts'

let line: CommandLine

beforeEach(async () => {
  line = await CommandLine.open()
})
afterEach(() => line[Symbol.asyncDispose]())

const catalog = () => join(line.folder, 'data/chantal.db')

async function ok(command: string): Promise<string> {
  const ran = await line.run(command)
  expect([command, ran.status, ran.stderr]).toEqual([command, 0, expect.anything()])
  return ran.stdout
}

function change(statement: string): void {
  const database = new DatabaseSync(catalog())
  database.exec(statement)
  database.close()
}

describe('db status', () => {
  it('looks without making anything', async () => {
    const stdout = await ok('db status')

    expect(stdout).toMatch(/^catalog: +not made yet$/m)
    expect(stdout).toMatch(/^schema: +0 of \d+$/m)
    expect(existsSync(catalog())).toBe(false)
  })

  it('does not run migrations, which an upgrade names', async () => {
    const made = await ok('db upgrade')
    change(`delete from migration where number > 1; delete from lease`)
    change('alter table package drop column signature; alter table package drop column signature_policy')

    const before = await ok('db status')
    const after = await ok('db status')

    expect(made).toMatch(/^made, with schema \d+\n1: first schema\n2: package signatures\n/)
    expect(before).toMatch(/^schema: +1 of \d+$/m)
    expect(before).toMatch(/^pending: +2: package signatures/m)
    expect(after).toBe(before)
  })

  it('refuses a catalog that is too new, with what it is', async () => {
    await ok('db upgrade')
    change(`insert into migration (number, name, applied_at) values (99, 'from the future', 0)`)

    const { status, stdout } = await line.run('db status --json')

    expect(status).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'CATALOG_TOO_NEW', details: { schema: 99 } } })
  })
})

describe('db upgrade', () => {
  it('says that there is nothing to do', async () => {
    await ok('db upgrade')

    expect(await ok('db upgrade')).toMatch(/^schema \d+ is up to date\n$/)
  })
})

describe('db backup', () => {
  it('writes a file that takes the place of the catalog', async () => {
    await ok('repo sync demo')
    await ok('snapshot create demo@first')
    const file = join(line.folder, 'copy.db')

    await ok(`db backup ${file}`)
    const again = await line.run(`db backup ${file}`)
    await ok('snapshot delete demo@first --yes')
    await ok(`db backup ${join(line.folder, 'later.db')}`)
    for (const suffix of ['', '-wal', '-shm']) await rm(`${catalog()}${suffix}`, { force: true })
    await ok(`db status`)
    await copyFile(file, catalog())

    expect(again).toMatchObject({ status: 4 })
    expect(again.stderr).toContain('--force')
    expect(await ok('snapshot list')).toContain('demo@first')
    expect(await ok('db verify --deep')).toContain('0 flaws, 0 damaged blobs')
  })

  it('leaves nothing behind where it may not write', async () => {
    await ok('db upgrade')

    const { status } = await line.run(`db backup ${join(line.folder, 'absent/copy.db')}`)

    expect(status).toBe(70)
    expect((await readdir(line.folder)).filter((name) => name.includes('copy'))).toEqual([])
  })
})

describe('db verify', () => {
  it('says what is wrong, with a status of its own', async () => {
    await ok('repo sync demo')
    change('update revision set package_count = 99')

    const people = await line.run('db verify')
    const machines = await line.run('db verify --json')

    expect(people.status).toBe(41)
    expect(people.stdout).toContain('revision: demo: revision 1 should hold 99 packages and holds 6')
    expect(people.stderr).toMatch(/CATALOG_CORRUPT\n$/)
    expect(JSON.parse(machines.stdout)).toMatchObject({ flaws: [{ check: 'revision', repository: 'demo' }] })
  })
})

describe('db vacuum', () => {
  it('tells both sizes', async () => {
    await ok('repo sync demo')

    expect(await ok('db vacuum')).toMatch(/^\d+ kB before, \d+ kB now \(.+\)\n$/)
  })
})

describe('db cleanup', () => {
  const forget = () =>
    line.configure({
      storage: { base_path: 'data' },
      repositories: [{ id: 'kept', type: 'rpm', feed: `${pathToFileURL(join(line.folder, 'upstream'))}/` }],
    })

  it('asks before it removes, and removes what it asked about', async () => {
    await ok('repo sync demo')
    await ok('publish repo demo')
    await forget()

    const planned = await ok('db cleanup --dry-run')
    const nobody = await line.run('db cleanup')
    const no = await line.run('db cleanup', { answer: false })
    const yes = await line.run('db cleanup', { answer: true })

    expect(planned).toMatch(/^demo: would be removed\n/)
    expect(planned).toMatch(/publications: repositories\/demo\/latest$/m)
    expect([nobody.status, no.status, yes.status]).toEqual([2, 130, 0])
    expect(no.questions).toEqual(['remove demo from the catalog'])
    expect(yes.stdout).toMatch(/^demo: removed\n/)
    expect(await ok('db cleanup --yes')).toBe('every repository of the catalog is configured\n')
    expect(await ok('publish list')).not.toContain('demo')
  })

  it('keeps what has snapshots, and says how it goes all the same', async () => {
    await ok('repo sync demo')
    await ok('snapshot create demo@first')
    await forget()

    const kept = await ok('db cleanup --yes')
    const removed = await ok('db cleanup --snapshots --yes')

    expect(kept).toMatch(/^demo: kept: demo has snapshots: --snapshots removes them too\n/)
    expect(removed).toMatch(/^demo: removed\n/)
    expect((await readFile(catalog())).length).toBeGreaterThan(0)
  })
})

describe('db stats', () => {
  it('shows each repository, each kind and each month', async () => {
    await ok('repo sync demo')

    const stdout = await ok('db stats')

    expect(stdout).toMatch(/^revisions: +1 kept, 0 forgotten$/m)
    expect(stdout).toMatch(/^last 24 hours: 1 revisions, \d+ files fetched/m)
    expect(stdout).toMatch(
      /^REPOSITORY +REVISIONS +SNAPSHOTS +PACKAGES +SIZE +HELD +ONLY HERE\ndemo +1 +0 +6 /m,
    )
    expect(stdout).toMatch(/^ECOSYSTEM .*\nrpm +1 +1 +6 /m)
    expect(stdout).toMatch(/^MONTH .*\n\d{4}-\d\d +1 +6 +0 /m)
  })
})

describe('lease list', () => {
  it('says which holders are dead, and makes nothing to say that nobody is at work', async () => {
    expect(await ok('lease list')).toBe('Nobody is at work.\n')
    expect(existsSync(catalog())).toBe(false)
    await ok('db upgrade')
    change(`insert into lease (resource, mode, state, purpose, host, machine, boot, namespace, pid, process_start, acquired_at, expires_at)
      values ('repository:demo', 'exclusive', 'held', 'sync demo', 'elsewhere', '', '', '', 7, '', 0, 1),
        ('repository:empty', 'exclusive', 'held', 'sync empty', 'elsewhere', '', '', '', 8, '', 0, 9000000000000)`)

    const shown = await ok('lease list')
    const rows = JSON.parse(await ok('lease list --json'))

    expect(shown).toMatch(/^repository:demo +exclusive +held, dead +sync demo +elsewhere +7 /m)
    expect(shown).toMatch(/^repository:empty +exclusive +held +sync empty +elsewhere +8 /m)
    expect(rows.map(({ health }: { health: string }) => health)).toEqual(['dead', 'alive'])
  })
})
