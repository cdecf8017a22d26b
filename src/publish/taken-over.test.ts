import * as fs from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import { TreeIncomplete } from '../core/publication.ts'
import { at, epel, exists, hour, latest, Site, treeOf } from './publications.test-support.ts'

/** Packages of a repository: path to text. */
type Packages = Readonly<Record<string, string>>

const bash = 'Packages/b/bash.rpm'
const curl = 'Packages/c/curl.rpm'
const zsh = 'Packages/z/zsh.rpm'
const metadata = parseRelativePath('repodata/repomd.xml')

interface Beside {
  readonly at?: RelativePath
  readonly repository?: RepositoryId
  readonly folder?: RelativePath
  /** The generation that packages are taken over from, and what it has. */
  readonly from: { readonly name: string; readonly has: Packages; readonly at?: RelativePath }
  readonly metadata?: RelativePath
}

/** Publishes packages as what has changed since an earlier generation. */
async function publishBeside(site: Site, now: Date, packages: Packages, beside: Beside) {
  const { from, repository = epel, folder = null } = beside
  const earlier = { path: from.at ?? latest, generation: from.name, isRepeated: false }
  await using stage = await site.publications.begin(beside.at ?? latest, now, earlier)
  const gone = Object.keys(from.has).filter((file) => from.has[file] !== packages[file])
  const isTaken = await stage.takePackages({ repository, folder, gone: new Set(gone as RelativePath[]) })
  for (const [file, text] of Object.entries(packages))
    if (!isTaken || from.has[file] !== text)
      await stage.place(await site.stored(file, text), repository, folder ?? undefined)
  await stage.write(beside.metadata ?? metadata, Object.keys(packages).join('\n'), 'entry')
  const generation = await stage.commit()
  return { ...generation, isTaken, packageLinks: stage.packageLinks }
}

/** The tree at a path, without its metadata. */
async function packagesAt(site: Site, published: string = latest): Promise<Packages> {
  const tree = await treeOf(site.absolute(published))
  return Object.fromEntries(Object.entries(tree).filter(([file]) => file.endsWith('.rpm')))
}

async function shelfLinkOf(site: Site, folder = 'Packages'): Promise<string> {
  return fs.readlink(path.join(site.absolute(latest), folder))
}

describe('packages that are taken over', () => {
  it('stand where they stood, without those that are gone and with those that came', async () => {
    await using site = await Site.create()
    const before = { [bash]: 'bash', [curl]: 'curl' }
    const { name } = await site.publish(at('10:00:00'), before)
    const after = { [bash]: 'bash', [zsh]: 'zsh' }

    const second = await publishBeside(site, at('11:00:00'), after, { from: { name, has: before } })

    expect(second).toMatchObject({ isTaken: true, packageLinks: 1, files: 3 })
    expect(await packagesAt(site)).toEqual({ ...after, [curl]: 'curl' })
    expect(await site.publications.damagedFiles(latest, look(), new AbortController().signal)).toEqual([])
  })

  it('are what the next sweep goes by', async () => {
    await using site = await Site.create()
    const before = { [bash]: 'bash', [curl]: 'curl' }
    const { name } = await site.publish(at('10:00:00'), before)
    await publishBeside(site, at('11:00:00'), { [bash]: 'bash' }, { from: { name, has: before } })
    const terms = { keep: 1, graceMs: hour }

    await site.publications.prune(latest, { ...terms, now: at('12:30:00') })
    await site.publications.prune(latest, { ...terms, now: at('14:00:00') })

    expect(await packagesAt(site)).toEqual({ [bash]: 'bash' })
    expect(await exists(site.absolute(`.shelves/epel9/1/${curl}`))).toBe(false)
  })

  it('may be those of an older generation, or of another path', async () => {
    await using site = await Site.create()
    const older = { [bash]: 'bash', [curl]: 'curl' }
    const { name } = await site.publish(at('10:00:00'), older)
    await site.publish(at('11:00:00'), { [zsh]: 'zsh' })
    const snapshot = parseRelativePath('repositories/epel9/snapshots/s1')
    const from = { name, has: older }

    const back = await publishBeside(site, at('12:00:00'), { [bash]: 'bash' }, { from })
    const copy = await publishBeside(site, at('12:00:00'), older, { from, at: snapshot })

    expect([back.isTaken, copy.isTaken, copy.files]).toEqual([true, true, 3])
    expect(await packagesAt(site, snapshot)).toMatchObject(older)
    await site.publications.prune(latest, { keep: 1, graceMs: 0, now: at('15:00:00') })
    expect(await packagesAt(site)).toEqual(older)
  })

  it('stand below the folder of their repository', async () => {
    await using site = await Site.create()
    const view = parseRelativePath('views/el9/latest')
    const folder = parseRelativePath('epel9')
    const before = { 'bash.rpm': 'bash', [curl]: 'curl' }
    await using first = await site.publications.begin(view, at('10:00:00'))
    for (const [file, text] of Object.entries(before))
      await first.place(await site.stored(file, text), epel, folder)
    await first.write(metadata, 'first', 'entry')
    const { name } = await first.commit()
    const after = { 'bash.rpm': 'bash', [zsh]: 'zsh' }
    const from = { name, has: before, at: view }

    const second = await publishBeside(site, at('11:00:00'), after, { from, at: view, folder })
    const elsewhere = await publishBeside(site, at('12:00:00'), before, {
      from,
      at: view,
      folder: parseRelativePath('other'),
    })

    expect(second).toMatchObject({ isTaken: true, packageLinks: 1, files: 3 })
    expect(elsewhere.isTaken).toBe(false)
    expect(await packagesAt(site, view)).toMatchObject({
      'other/bash.rpm': 'bash',
      [`other/${curl}`]: 'curl',
    })
  })

  it('move to another shelf with all others where a path has other bytes now', async () => {
    await using site = await Site.create()
    const before = { [bash]: 'bash', [curl]: 'curl' }
    const { name } = await site.publish(at('10:00:00'), before)
    const after = { [bash]: 'other', [curl]: 'curl' }

    const second = await publishBeside(site, at('11:00:00'), after, { from: { name, has: before } })

    expect(second).toMatchObject({ isTaken: true, files: 3 })
    expect(await packagesAt(site)).toEqual(after)
    expect(await shelfLinkOf(site)).toMatch(/\.shelves\/epel9\/2\/Packages$/)
  })

  it('are laid out anew where the links of before would not show all, or nothing', async () => {
    await using site = await Site.create()
    const before = { 'a/one.rpm': '1', 'b/two.rpm': '2' }
    const { name } = await site.publish(at('10:00:00'), before)
    const from = { name, has: before }

    for (const [minute, after] of [
      { 'a/one.rpm': '1', 'b/two.rpm': '2', 'c/three.rpm': '3' },
      { 'a/one.rpm': '1' },
      {},
      { 'a/one.rpm': '1', 'b/two.rpm': '2', 'flat.rpm': '4' },
    ].entries()) {
      const made = await publishBeside(site, at(`11:0${minute}:00`), after, { from })
      expect(made).toMatchObject({ isTaken: true, files: Object.keys(after).length + 1 })
      expect(await packagesAt(site)).toEqual(after)
    }
  })

  it('are laid out anew where metadata lies among them now', async () => {
    await using site = await Site.create()
    const before = { [bash]: 'bash', [curl]: 'curl' }
    const { name } = await site.publish(at('10:00:00'), before)
    const from = { name, has: before }

    const second = await publishBeside(site, at('11:00:00'), before, {
      from,
      metadata: parseRelativePath('Packages/index.xml'),
    })
    const third = await publishBeside(site, at('12:00:00'), before, {
      from: { ...from, name: second.name },
    })

    expect([second.isTaken, second.files]).toEqual([true, 3])
    expect(await packagesAt(site)).toEqual(before)
    expect(third.isTaken).toBe(true)
  })

  it('are none where some lay beside metadata, or the repository had none', async () => {
    await using site = await Site.create()
    const flat = { 'flat.rpm': 'flat' }
    const first = await site.publish(at('10:00:00'), flat)
    const from = { name: first.name, has: flat }
    const other = 'other' as RepositoryId

    expect((await publishBeside(site, at('11:00:00'), flat, { from })).isTaken).toBe(false)
    const { name } = await site.publish(at('12:00:00'), { [bash]: 'bash' })
    const none = { from: { name, has: {} }, repository: other }
    expect((await publishBeside(site, at('13:00:00'), { [zsh]: 'zsh' }, none)).isTaken).toBe(false)
    expect(await packagesAt(site)).toEqual({ [zsh]: 'zsh' })
  })

  it('may not be a file where another has a folder, nor have other bytes than another', async () => {
    await using site = await Site.create()
    const before = { [bash]: 'bash' }
    const { name } = await site.publish(at('10:00:00'), before)
    for (const file of [`${bash}/inner.rpm`, bash]) {
      await using stage = await site.publications.begin(latest, at('11:00:00'), {
        path: latest,
        generation: name,
        isRepeated: false,
      })
      expect(await stage.takePackages({ repository: epel, folder: null, gone: new Set() })).toBe(true)
      await stage.place(await site.stored(file, 'other'), epel)
      await expect(stage.commit()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    }
    expect(await packagesAt(site)).toEqual(before)
  })

  it('are missed where the shelf has lost them', async () => {
    await using site = await Site.create()
    const before = { [bash]: 'bash', [curl]: 'curl' }
    const { name } = await site.publish(at('10:00:00'), before)
    await fs.rm(site.absolute('.shelves/epel9/1.manifest'))

    const second = publishBeside(site, at('11:00:00'), before, { from: { name, has: before } })

    await expect(second).rejects.toThrow(TreeIncomplete)
    expect(await packagesAt(site)).toEqual(before)
  })

  it('come to the same tree as those that are placed, whatever changes', async () => {
    await using site = await Site.create()
    const next = chance(11)
    const folders = ['p', 'p/a', 'p/b', 'q', 'q/c']
    let has: Packages = Object.fromEntries(folders.map((folder) => [`${folder}/0.rpm`, 'first']))
    let { name } = await site.publish(at('00:00:00'), has)
    let taken = 0
    for (let round = 1; round < 40; round++) {
      const after: Record<string, string> = { ...has }
      for (const file of Object.keys(after)) {
        if (next(8) === 0) delete after[file]
        else if (next(12) === 0) after[file] = `round ${round}`
      }
      for (let more = next(3); more > 0; more--)
        after[`${folders[next(folders.length)]}/${next(9)}.rpm`] = `round ${round}`
      const time = at(`00:${String(round).padStart(2, '0')}:00`)

      const made = await publishBeside(site, time, after, { from: { name, has } })

      const tree = await packagesAt(site)
      // What is gone stays for the grace period, for clients midway.
      for (const [file, text] of Object.entries(after)) expect([file, tree[file]]).toEqual([file, text])
      expect(made.files).toBe(Object.keys(after).length + 1)
      const signal = new AbortController().signal
      expect(await site.publications.damagedFiles(latest, look(), signal)).toEqual([])
      await site.publications.prune(latest, { keep: 2, graceMs: 60_000, now: time })
      if (made.isTaken) taken += 1
      has = after
      name = made.name
    }
    expect(taken).toBeGreaterThan(10)
  })
})

function look() {
  return { limit: 10, looked: new Set<RepositoryId>(), deep: true, repair: false }
}

/** Numbers that look like chance, and are the same each time. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
