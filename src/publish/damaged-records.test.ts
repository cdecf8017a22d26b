import * as fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parseRelativePath } from '../core/path.ts'
import { at, bash, exists, hour, latest, Site, treeOf, zsh } from './publications.test-support.ts'

const snapshot = 'repositories/epel9/snapshots/s1'
const list = '.shelves/epel9/1.manifest'
const claims = '.shelves/epel9/claims'
const generations = 'repositories/epel9/.generations'
const terms = { keep: 1, graceMs: hour }

/** As a crash of the disk's leaves it. */
const cut = (site: Site, file: string) => fs.truncate(site.absolute(file), 20)

async function packagesAt(site: Site, published: string = latest) {
  const tree = await treeOf(site.absolute(published))
  return Object.fromEntries(Object.entries(tree).filter(([file]) => file.endsWith('.rpm')))
}

describe('a shelf whose list is damaged', () => {
  it('is used on for what it has with the right bytes, and is listed again', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await cut(site, list)

    const second = await site.publish(at('10:10:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    const third = await site.publish(at('10:20:00'), { [bash]: 'bash', [zsh]: 'zsh' })

    expect([second.packageLinks, third.packageLinks]).toEqual([1, 0])
    expect(await exists(site.absolute('.shelves/epel9/2'))).toBe(false)
  })

  it('keeps the bytes that others show', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'old' }, { at: snapshot })
    await cut(site, list)

    await site.publish(at('10:10:00'), { [bash]: 'new' })

    expect(await packagesAt(site, snapshot)).toEqual({ [bash]: 'old' })
    expect(await packagesAt(site)).toEqual({ [bash]: 'new' })
  })

  it('is cleared of what nobody wants, after the grace period', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    await cut(site, list)
    await site.publish(at('10:10:00'), { [bash]: 'bash' })

    await site.publications.prune(latest, { ...terms, now: at('12:00:00') })
    expect(await packagesAt(site)).toEqual({ [bash]: 'bash', [zsh]: 'zsh' })
    await site.publications.prune(latest, { ...terms, now: at('14:00:00') })
    expect(await packagesAt(site)).toEqual({ [bash]: 'bash' })
  })
})

describe('a claim that is damaged', () => {
  it('keeps everything on the shelf for as long as its generation is there', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' }, { at: snapshot })
    await site.publish(at('10:00:00'), { [zsh]: 'zsh' })
    const names = await fs.readdir(site.absolute(claims))
    for (const name of names) await cut(site, `${claims}/${name}`)

    await site.publish(at('10:10:00'), { [zsh]: 'zsh' })
    for (const now of ['12:00:00', '14:00:00'])
      await site.publications.prune(latest, { ...terms, now: at(now) })
    expect(await packagesAt(site, snapshot)).toMatchObject({ [bash]: 'bash' })

    await site.publications.remove(parseRelativePath(snapshot))
    for (const now of ['16:00:00', '18:00:00'])
      await site.publications.prune(latest, { ...terms, now: at(now) })
    expect(await packagesAt(site)).toEqual({ [zsh]: 'zsh' })
  })
})

describe('a generation whose manifest is damaged', () => {
  it.each(['cut', 'gone'])('goes on being carried along, and is no unfinished stage: %s', async (how) => {
    await using site = await Site.create()
    const first = await site.publish(at('10:00:00'), { [bash]: 'bash' })
    const second = await site.publish(at('10:10:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    const before = await treeOf(site.absolute(latest))
    const manifest = `${generations}/latest@${second.name}.manifest`
    if (how === 'cut') await cut(site, manifest)
    else await fs.rm(site.absolute(manifest))

    await site.publish(at('10:20:00'), { [bash]: 'bash' })

    const addressed = Object.keys(before).filter((file) => file.endsWith('-primary.txt'))
    expect(addressed).toHaveLength(2)
    expect(Object.keys(await treeOf(site.absolute(latest)))).toEqual(expect.arrayContaining(addressed))
    const names = (await site.publications.generations(latest)).map(({ name }) => name)
    expect(names.slice(1)).toEqual([second.name, first.name])
    expect(await site.publications.open({ path: latest, generation: second.name })).toBeNull()
  })
})

describe('the publish time of a path', () => {
  it('rises where the file that says the last one is damaged', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await cut(site, `${generations}/latest@state`)

    const second = await site.publish(at('09:00:00'), { [bash]: 'bash' })

    expect(second.publishedAt).toEqual(at('10:00:01'))
  })
})
