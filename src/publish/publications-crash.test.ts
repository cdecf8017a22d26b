import * as fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import type { Checkpoint } from './directory-stage.ts'
import { at, epel, exists, hour, latest, pathsBelow, Site, treeOf } from './publications.test-support.ts'
import { parseShelf } from './shelf-manifest.ts'

const bash = 'Packages/b/bash-5.1.rpm'
const zsh = 'Packages/z/zsh-5.8.rpm'
const checkpoints: readonly Checkpoint[] = [
  'before links',
  'after link',
  'after links',
  'after flush',
  'after shelves',
  'before switch',
  'after switch',
]

describe.each(checkpoints)('a process that ends %s', (moment) => {
  it('leaves clients a whole tree, and nothing that the next publication does not clean up', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh' })
    await endWhilePublishing(site, moment, { [bash]: 'new', 'Packages/n/new.rpm': 'new', 'flat.rpm': 'flat' })
    const seen = await treeOf(site.absolute(latest))

    const publications = await site.reopened()
    const next = await site.publish(at('10:00:00'), { [bash]: 'newest' }, { publications })

    expect(seen[bash]).toBe(moment === 'after switch' ? 'new' : 'old')
    expect(seen[(seen['repodata/repomd.xml'] ?? '').trim()]?.split('\n')).toContain(bash)
    expect(await site.read(bash)).toBe('newest')
    expect(next.publishedAt > at('10:00:00')).toBe(true)
    expect(await publications.generations(latest)).toHaveLength(moment === 'after switch' ? 3 : 2)
    expect(await unlistedOnShelves(site)).toEqual([])
    await publications.prune(latest, { keep: 1, graceMs: hour, now: at('13:00:00') })
    await publications.prune(latest, { keep: 1, graceMs: hour, now: at('14:00:00') })
    expect(await onShelves(site)).toHaveLength(1)
    expect(await fs.readdir(site.absolute('.shelves/epel9/claims'))).toHaveLength(1)
  })
})

describe('a file in the way on a shelf', () => {
  it.each([
    ['is kept where it has the right bytes', 'bash'],
    ['is replaced where it has others', 'wrong'],
  ])('%s', async (_title, text) => {
    await using site = await Site.create()
    await fs.mkdir(site.absolute('.shelves/epel9/1/Packages/b'), { recursive: true })
    await fs.writeFile(site.absolute(`.shelves/epel9/1/${bash}`), text)
    const { ino } = await fs.stat(site.absolute(`.shelves/epel9/1/${bash}`))

    await site.publish(at('10:00:00'), { [bash]: 'bash' })

    const after = await fs.stat(site.absolute(`${latest}/${bash}`))
    expect(await site.read(bash)).toBe('bash')
    expect(after.ino === ino).toBe(text === 'bash')
  })
})

describe('a sweep', () => {
  it('removes what a process that died has left beside the shelves', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await fs.writeFile(site.absolute('.shelves/epel9/1.incoming-x'), 'left')

    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('10:00:00') })

    expect(await fs.readdir(site.absolute('.shelves/epel9'))).toEqual(['1', '1.manifest', 'claims', 'swept'])
  })
})

describe('a full disk', () => {
  it('is named, and leaves clients and shelves as they were', async () => {
    const full = { now: false }
    const checkpoint = (name: Checkpoint) => {
      if (full.now && name === 'after shelves') throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    }
    await using site = await Site.create({ checkpoint })
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    const before = await pathsBelow(site.root)
    full.now = true

    const failing = site.publish(at('11:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })

    await expect(failing).rejects.toMatchObject({ code: 'DISK_FULL', hint: expect.any(String) })
    expect(await pathsBelow(site.root)).toEqual(before)
    expect(await unlistedOnShelves(site)).toEqual([])
  })

  it('takes nothing from a shelf that another publication wants by now', async () => {
    const s1 = parseRelativePath('repositories/epel9/snapshots/s1')
    const full = { now: false }
    const checkpoint = (name: Checkpoint) => {
      if (full.now && name === 'before switch') throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    }
    await using site = await Site.create({ checkpoint })
    full.now = true
    await using stage = await site.publications.begin(latest, at('10:00:00'))
    await stage.place(await site.stored(bash, 'bash'), epel)
    await expect(stage.commit()).rejects.toMatchObject({ code: 'DISK_FULL' })

    await site.publish(at('10:00:00'), { [bash]: 'bash' }, { at: s1, publications: await site.reopened() })
    await stage[Symbol.asyncDispose]()

    expect(await site.read(bash, s1)).toBe('bash')
    expect(await exists(site.absolute(latest))).toBe(false)
  })
})

describe('the lock of a shelf', () => {
  it('is held for each repository of a view, in order of their names, and given back', async () => {
    const events: string[] = []
    const lockShelf = async (repository: RepositoryId) => {
      events.push(`+${repository}`)
      return {
        assertHeld: async () => {},
        [Symbol.asyncDispose]: async () => void events.push(`-${repository}`),
      }
    }
    await using site = await Site.create({ lockShelf })
    await using stage = await site.publications.begin(parseRelativePath('views/el9/latest'), at('10:00:00'))
    for (const repository of ['c', 'a', 'b'] as RepositoryId[]) {
      await stage.place(await site.stored(`${repository}/one.rpm`, repository), repository)
    }

    await stage.commit()

    expect(events).toEqual(['+a', '+b', '+c', '-c', '-b', '-a'])
  })

  it.each([
    ['claims', 0],
    ['lists', 1],
  ])('is asked for before another, who has taken it over, finds other %s', async (_title, granted) => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'old' })
    const before = await recordsOf(site)
    const answers = [...Array(granted).fill(true), false]
    const lockShelf = async () => ({
      assertHeld: async () => {
        if (answers.shift() === false) throw new ChantalError('LEASE_LOST', 'taken over')
      },
      [Symbol.asyncDispose]: async () => {},
    })
    const publications = await site.reopened({ lockShelf })

    const publishing = site.publish(at('11:00:00'), { [bash]: 'old', [zsh]: 'zsh' }, { publications })

    await expect(publishing).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await recordsOf(site)).toEqual(before)
    expect(await unlistedOnShelves(site)).toEqual([])
    expect(await site.read(bash)).toBe('old')
  })
})

/** The shelf's claims by name, and its list. */
async function recordsOf(site: Site) {
  const claims = await fs.readdir(site.absolute('.shelves/epel9/claims'))
  const list = parseShelf(await fs.readFile(site.absolute('.shelves/epel9/1.manifest')), '1.manifest')
  return { claims, list }
}

/** As a killed process: nothing after the moment happens, and nobody disposes the stage. */
async function endWhilePublishing(site: Site, moment: Checkpoint, packages: Record<string, string>) {
  const publications = await site.reopened({
    checkpoint: (name) => {
      if (name === moment) throw Object.assign(new Error('killed'), { code: 'KILLED' })
    },
  })
  const stage = await publications.begin(latest, at('11:00:00'))
  for (const [file, text] of Object.entries(packages)) await stage.place(await site.stored(file, text), epel)
  const list = await stage.write(
    parseRelativePath('repodata/list'),
    Object.keys(packages).join('\n'),
    'plain',
  )
  await stage.write(parseRelativePath('repodata/repomd.xml'), list.path, 'entry')
  await stage.commit().catch((error: unknown) => {
    if (!hasSystemCode(error, 'KILLED')) throw error
  })
}

async function onShelves(site: Site): Promise<readonly string[]> {
  const folder = site.absolute('.shelves/epel9')
  const files: string[] = []
  for (const file of await pathsBelow(folder)) {
    if (/^\d+\//.test(file) && (await fs.lstat(`${folder}/${file}`)).isFile()) files.push(file)
  }
  return files
}

async function unlistedOnShelves(site: Site): Promise<readonly string[]> {
  const folder = site.absolute('.shelves/epel9')
  const listed: string[] = []
  for (const name of await fs.readdir(folder)) {
    if (!name.endsWith('.manifest')) continue
    const entries = parseShelf(await fs.readFile(`${folder}/${name}`), name)
    for (const file of entries.keys()) listed.push(`${name.replace('.manifest', '')}/${file}`)
  }
  const found = await onShelves(site)
  return [
    ...found.filter((file) => !listed.includes(file)),
    ...listed.filter((file) => !found.includes(file)),
  ]
}
