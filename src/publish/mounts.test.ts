import * as fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import { at, Site, treeOf } from './publications.test-support.ts'
import type { PublicationStage } from './publications.ts'

const base = 'epel9' as RepositoryId
const extra = 'extra' as RepositoryId
const view = parseRelativePath('views/el9/latest')

/** A tree of two members, each below its own folder: one with a folder of packages, one with packages at its top. */
async function fill(site: Site, stage: PublicationStage, bash = 'bash'): Promise<void> {
  await stage.place(await site.stored('Packages/b/bash.rpm', bash), base, parseRelativePath('epel9'))
  await stage.place(await site.stored('one.rpm', 'one'), extra, parseRelativePath('extra'))
  await stage.write(parseRelativePath('repodata/repomd.xml'), 'index', 'entry')
}

const published = {
  'epel9/Packages/b/bash.rpm': 'bash',
  'extra/one.rpm': 'one',
  'repodata/repomd.xml': 'index',
}

describe('members of a view', () => {
  it('are linked as a whole, each below its own folder', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(view, at('10:00:00'))
    await fill(site, stage)

    const generation = await stage.commit()

    expect(generation.files).toBe(3)
    expect(await treeOf(site.absolute(view))).toEqual(published)
    expect(await fs.readlink(site.absolute(`${view}/epel9`))).toBe('../../../../.shelves/epel9/1')
    expect(await fs.readlink(site.absolute(`${view}/extra`))).toBe('../../../../.shelves/extra/1')
  })

  it('stand on the shelves that their repositories have anyhow', async () => {
    await using site = await Site.create()
    await site.publish(at('09:00:00'), { 'Packages/b/bash.rpm': 'bash' }, { repository: base })
    await using stage = await site.publications.begin(view, at('10:00:00'))
    await fill(site, stage)

    await stage.commit()

    expect(stage.packageLinks).toBe(1)
    expect((await fs.stat(site.absolute(`${view}/epel9/Packages/b/bash.rpm`))).nlink).toBe(2)
  })

  it('are linked one by one where metadata lies among them', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(view, at('10:00:00'))
    await fill(site, stage)
    await stage.write(parseRelativePath('extra/Release'), 'release', 'entry')

    await stage.commit()

    expect((await fs.lstat(site.absolute(`${view}/extra`))).isDirectory()).toBe(true)
    expect(await treeOf(site.absolute(view))).toEqual({ ...published, 'extra/Release': 'release' })
  })

  it('are shown again by who repeats the tree', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(view, at('10:00:00'))
    await fill(site, stage)
    const { name } = await stage.commit()
    const copy = parseRelativePath('views/el9/snapshots/s1')
    await using repeated = await site.publications.begin(copy, at('11:00:00'), {
      path: view,
      generation: name,
      isRepeated: true,
    })

    expect((await repeated.commit()).files).toBe(3)
    expect(await treeOf(site.absolute(copy))).toEqual(published)
    expect(await fs.readlink(site.absolute(`${copy}/epel9`))).toBe('../../../../../.shelves/epel9/1')
  })

  it('are shown again one by one where the path has another file for one of them by now', async () => {
    await using site = await Site.create()
    await using first = await site.publications.begin(view, at('10:00:00'))
    await fill(site, first)
    const { name } = await first.commit()
    await using second = await site.publications.begin(view, at('11:00:00'))
    await fill(site, second, 'replaced')
    await second.commit()
    expect(await fs.readlink(site.absolute(`${view}/epel9`))).toBe('../../../../.shelves/epel9/2')
    await using back = await site.publications.begin(view, at('12:00:00'), {
      path: view,
      generation: name,
      isRepeated: true,
    })

    expect((await back.commit()).files).toBe(3)
    expect(await treeOf(site.absolute(view))).toEqual(published)
  })

  it('are copied to where they belong by an export', async () => {
    await using site = await Site.create()
    const target = site.absolute('exported')
    await using stage = await site.publications.exportTo(target, at('10:00:00'))
    await fill(site, stage)

    await stage.commit()

    expect(await treeOf(target)).toEqual(published)
  })
})
