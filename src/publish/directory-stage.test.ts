import * as fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parseRelativePath } from '../core/path.ts'
import { at, bash, epel, latest, pathsBelow, Site, sha256, treeOf, zsh } from './publications.test-support.ts'

describe('a stage', () => {
  it('refuses other bytes for a path, and takes the same ones again', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(latest, at('10:00:00'))
    const one = await site.stored(bash, 'one')
    const readme = parseRelativePath('README')
    await stage.place(one, epel)
    await stage.place(one, epel)
    await stage.write(readme, 'text', 'plain')
    await stage.write(readme, 'text', 'plain')

    await expect(stage.place(await site.stored(bash, 'two'), epel)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    await expect(stage.write(readme, 'other', 'plain')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(stage.copy(await site.stored('README', 'x'), 'plain')).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    expect((await stage.commit()).files).toBe(2)
  })

  it('has a file with two paths once on the disk, also where it is carried along or repeated', async () => {
    await using site = await Site.create()
    const list = parseRelativePath('dists/Packages')
    const byHash = (text: string) => parseRelativePath(`dists/by-hash/${sha256(text)}`)
    const publish = async (now: string, text: string) => {
      await using stage = await site.publications.begin(latest, at(now))
      await stage.write(list, text, 'plain')
      await stage.alias(byHash(text), list, 'addressed')
      return await stage.commit()
    }
    const first = await publish('10:00:00', 'one')
    const second = await publish('11:00:00', 'two')
    await using snapshot = await site.publications.begin(parseRelativePath('copy'), at('12:00:00'), {
      path: latest,
      generation: second.name,
      isRepeated: true,
    })
    await snapshot.commit()

    const folders = [`repositories/epel9/.generations/latest@${first.name}`, latest, 'copy']
    const inodes = folders.map(async (folder, index) => {
      const names = [list, byHash(index === 0 ? 'one' : 'two')]
      return Promise.all(names.map((name) => fs.stat(site.absolute(`${folder}/${name}`))))
    })
    const [old, current, copy] = await Promise.all(inodes)
    expect([first.files, second.files]).toEqual([2, 2])
    expect([old, current, copy].map((names) => names?.[0]?.ino === names?.[1]?.ino)).toEqual([
      true,
      true,
      true,
    ])
    expect(copy?.[0]?.ino).not.toBe(current?.[0]?.ino)
    expect(copy?.[1]?.mtime).toEqual(at('12:00:00'))
    expect((await fs.stat(site.absolute(`${latest}/${byHash('one')}`))).ino).toBe(old?.[0]?.ino)
    expect(await treeOf(site.absolute('copy'))).toEqual({ [list]: 'two', [byHash('two')]: 'two' })
  })

  it('repeats a file by its other name where the name carries the checksum, and copies the rest', async () => {
    await using site = await Site.create()
    const addressed = parseRelativePath(`repodata/${sha256('list')}-primary.xml`)
    const entry = parseRelativePath('repodata/repomd.xml')
    await using stage = await site.publications.begin(latest, at('10:00:00'))
    await stage.write(addressed, 'list', 'addressed')
    await stage.write(entry, 'root', 'entry')
    const { name: generation } = await stage.commit()
    const earlier = { path: latest, generation, isRepeated: true }

    await using snapshot = await site.publications.begin(parseRelativePath('copy'), at('12:00:00'), earlier)
    await snapshot.commit()

    const stats = (tree: string) =>
      Promise.all([addressed, entry].map((name) => fs.stat(site.absolute(`${tree}/${name}`))))
    const [[list, root], [sameList, ownRoot]] = await Promise.all([stats(latest), stats('copy')])
    expect(await treeOf(site.absolute('copy'))).toEqual({ [addressed]: 'list', [entry]: 'root' })
    expect([sameList?.ino, sameList?.mtime]).toEqual([list?.ino, at('10:00:00')])
    expect(ownRoot?.ino).not.toBe(root?.ino)
    expect([root?.mtime, ownRoot?.mtime]).toEqual([at('10:00:00'), at('12:00:00')])
  })

  it('refuses a path that is a file and a folder, and publishes nothing', async () => {
    await using site = await Site.create()
    {
      await using stage = await site.publications.begin(latest, at('10:00:00'))
      await stage.place(await site.stored('a/b', 'x'), epel)
      await stage.write(parseRelativePath('a'), 'x', 'plain')
      await expect(stage.commit()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    }

    expect(await site.publications.current(latest)).toBeNull()
  })

  it('that is left without commit leaves nothing behind', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    const before = await pathsBelow(site.root)
    {
      await using stage = await site.publications.begin(latest, at('11:00:00'))
      await stage.place(await site.stored(zsh, 'zsh'), epel)
      await stage.write(parseRelativePath('README'), 'text', 'plain')
    }

    expect(await pathsBelow(site.root)).toEqual(before)
  })

  it('whose blob is missing leaves clients and shelves as they were', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    const before = await pathsBelow(site.root)
    {
      await using stage = await site.publications.begin(latest, at('11:00:00'))
      await stage.place(await site.stored(zsh, 'zsh'), epel)
      await stage.place({ path: parseRelativePath('Packages/x'), digest: sha256('x'), size: 1 }, epel)
      await expect(stage.commit()).rejects.toMatchObject({
        code: 'BLOB_MISSING',
        message: `Packages/x: not in the pool: ${sha256('x')}`,
      })
    }

    expect(await pathsBelow(site.root)).toEqual(before)
  })

  it('is spent once it is committed', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(latest, at('10:00:00'))
    await stage.commit()

    await expect(stage.commit()).rejects.toThrow('committed')
    await expect(stage.write(parseRelativePath('late'), 'x', 'plain')).rejects.toThrow('committed')
    expect(await treeOf(site.absolute(latest))).toEqual({})
  })

  it('refuses to publish over what is not ours', async () => {
    await using site = await Site.create()
    await fs.mkdir(site.absolute('repositories/epel9/latest'), { recursive: true })
    await site.publish(at('10:00:00'), {}, { at: 'views/el9' })

    await expect(site.publications.begin(latest, at('10:00:00'))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    await expect(
      site.publications.begin(parseRelativePath('views/el9/latest'), at('10:00:00')),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(
      site.publications.begin(parseRelativePath('views/.generations'), at('10:00:00')),
    ).rejects.toMatchObject({ code: 'PATH_UNSAFE' })
  })

  it('can be made for two paths of one repository at once', async () => {
    await using site = await Site.create()
    const paths = ['a', 'b', 'c', 'd'].map((name) => `repositories/epel9/snapshots/${name}`)

    const published = await Promise.all(
      paths.map((each) => site.publish(at('10:00:00'), { [bash]: 'bash', [zsh]: 'zsh' }, { at: each })),
    )

    expect(published.map(({ packageLinks }) => packageLinks).toSorted()).toEqual([0, 0, 0, 2])
    expect(await site.publications.list()).toEqual(paths)
  })
})
