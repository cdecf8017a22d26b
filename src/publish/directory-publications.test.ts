import * as fs from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import type { Pool } from '../pool/pool.ts'
import {
  at,
  epel,
  exists,
  hour,
  latest,
  pathsBelow,
  Site,
  sha256,
  treeOf,
} from './publications.test-support.ts'

const bash = 'Packages/b/bash-5.1.rpm'
const zsh = 'Packages/z/zsh-5.8.rpm'

describe('publishing', () => {
  it('shows clients the whole tree under one relative link', async () => {
    await using site = await Site.create()

    const generation = await site.publish(at('10:15:00'), { [bash]: 'bash', [zsh]: 'zsh' })

    expect(generation).toMatchObject({ name: '20261123T101500Z-1', files: 4, publishedAt: at('10:15:00') })
    expect(await fs.readlink(site.absolute(latest))).toBe('.generations/latest@20261123T101500Z-1')
    expect(await fs.readlink(site.absolute(`${latest}/Packages`))).toBe(
      '../../../../.shelves/epel9/1/Packages',
    )
    const list = `repodata/${sha256(`${bash}\n${zsh}`)}-primary.txt`
    expect(await treeOf(site.absolute(latest))).toEqual({
      [bash]: 'bash',
      [zsh]: 'zsh',
      [list]: `${bash}\n${zsh}`,
      'repodata/repomd.xml': `${list}\n`,
    })
    expect(await site.publications.current(latest)).toMatchObject({ name: generation.name, files: 4 })
    expect(await site.publications.list()).toEqual([latest])
  })

  it('makes package files the same files as in the pool, and none for what the shelf has', async () => {
    await using site = await Site.create()

    const first = await site.publish(at('10:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    const again = await site.publish(at('11:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    const other = await site.publish(at('12:00:00'), { [bash]: 'bash', 'Packages/n/new.rpm': 'new' })
    const snapshot = await site.publish(
      at('12:00:00'),
      { [bash]: 'bash' },
      { at: 'repositories/epel9/snapshots/s1' },
    )

    expect([first, again, other, snapshot].map(({ packageLinks }) => packageLinks)).toEqual([2, 0, 1, 0])
    expect((await fs.stat(site.absolute(`${latest}/${bash}`))).nlink).toBe(2)
  })

  it('knows in a later process what the shelf has', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })

    const later = await site.publish(
      at('11:00:00'),
      { [bash]: 'bash' },
      { publications: await site.reopened() },
    )

    expect(later.packageLinks).toBe(0)
  })

  it('links packages beside metadata, and those of several repositories in one folder, one by one', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(latest, at('10:00:00'))
    await stage.place(await site.stored('flat.deb', 'flat'), epel)
    await stage.place(await site.stored('pool/a/one.deb', 'one'), epel)
    await stage.place(await site.stored('pool/a/two.deb', 'two'), 'other' as RepositoryId)
    await stage.place(await site.stored('pool/b/three.deb', 'three'), 'other' as RepositoryId)
    await stage.write(parseRelativePath('Packages'), 'list', 'entry')

    await stage.commit()

    expect(stage.packageLinks).toBe(4)
    expect(await fs.readlink(site.absolute(`${latest}/pool/b`))).toBe(
      '../../../../../.shelves/other/1/pool/b',
    )
    expect((await fs.lstat(site.absolute(`${latest}/pool/a`))).isDirectory()).toBe(true)
    expect(await treeOf(site.absolute(latest))).toEqual({
      Packages: 'list',
      'flat.deb': 'flat',
      'pool/a/one.deb': 'one',
      'pool/a/two.deb': 'two',
      'pool/b/three.deb': 'three',
    })
  })

  it('opens the next shelf where a file was replaced in place, and leaves the old one as it was', async () => {
    await using site = await Site.create()
    const old = await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh' })

    const replaced = await site.publish(at('11:00:00'), { [bash]: 'new', [zsh]: 'zsh' })
    const snapshot = await site.publish(
      at('11:00:00'),
      { [bash]: 'old' },
      { at: 'repositories/epel9/snapshots/s1' },
    )

    expect(await site.read(bash)).toBe('new')
    expect(await site.read(bash, `repositories/epel9/.generations/latest@${old.name}`)).toBe('old')
    expect(await site.read(bash, 'repositories/epel9/snapshots/s1')).toBe('old')
    expect([replaced.packageLinks, snapshot.packageLinks]).toEqual([2, 0])
    expect(await fs.readlink(site.absolute(`${latest}/Packages`))).toContain('/.shelves/epel9/2/')
  })

  it('takes along to the next shelf what clients of the generation before look for, for the grace period', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh', 'flat.rpm': 'flat' })

    await site.publish(at('11:00:00'), { [bash]: 'new' })
    const midway = [await site.read(zsh), await site.read('flat.rpm')]
    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('12:00:00') })
    await site.publish(at('12:00:00'), { [bash]: 'new' })

    expect(midway).toEqual(['zsh', 'flat'])
    expect(Object.keys(await treeOf(site.absolute(latest)))).toEqual([
      bash,
      expect.stringMatching('^repodata/.*-primary.txt$'),
      'repodata/repomd.xml',
    ])
  })

  it('opens the next shelf where a file became a folder', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { 'Packages/b': 'a file' })

    await site.publish(at('11:00:00'), { [bash]: 'bash' })
    await site.publish(at('12:00:00'), { 'Packages/b': 'a file' })

    expect(await site.read('Packages/b')).toBe('a file')
  })

  it('gives copied and written files of their own the publish time, and packages that of the pool', async () => {
    await using site = await Site.create()
    const image = await site.stored('images/boot.iso', 'boot')
    await using stage = await site.publications.begin(latest, at('10:00:00.700'))
    await stage.copy(image, 'plain')
    await stage.write(parseRelativePath('streamed'), chunks('a', 'b'), 'plain')
    await stage.commit()

    const copied = await fs.stat(site.absolute(`${latest}/images/boot.iso`))

    expect(stage.publishedAt).toEqual(at('10:00:00'))
    expect([copied.mtime, copied.nlink]).toEqual([at('10:00:00'), 1])
    expect((await fs.stat(site.absolute(`${latest}/streamed`))).mtime).toEqual(at('10:00:00'))
    expect(await site.read('streamed')).toBe('ab')
  })

  it('is readable by everybody under any umask', async () => {
    await using site = await Site.create()
    const before = process.umask(0o077)
    try {
      const root = path.join(site.folder, 'made/published')
      const { openPublications } = await import('./directory-publications.ts')
      const publications = await openPublications({ root, pool: site.pool, graceMs: hour })
      await site.publish(at('10:00:00'), { [bash]: 'bash' }, { publications })
      await site.publish(at('11:00:00'), { [bash]: 'new', 'flat.rpm': 'flat' }, { publications })
      const odd: string[] = []
      for (const file of ['', ...(await pathsBelow(path.join(site.folder, 'made')))]) {
        const stat = await fs.lstat(path.join(site.folder, 'made', file))
        const mode = stat.mode & 0o777
        const wanted = stat.isDirectory() ? [0o755] : [0o644, 0o444]
        if (!stat.isSymbolicLink() && !wanted.includes(mode)) odd.push(`${file} ${mode.toString(8)}`)
      }

      expect(odd).toEqual([])
    } finally {
      process.umask(before)
    }
  })

  it('copies where the file system has no hard links', async () => {
    await using site = await Site.create({ wrap: copyingPool })

    const first = await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })
    const again = await site.publish(at('11:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })

    expect(await site.read(bash)).toBe('bash')
    expect(await site.read('flat.rpm')).toBe('flat')
    expect((await fs.stat(site.absolute(`${latest}/${bash}`))).nlink).toBe(1)
    expect([first.packageLinks, again.packageLinks]).toEqual([2, 1])
  })

  it('never shows a reader a mixture, while fifty generations follow each other', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash 0' })
    const lost: string[] = []
    let isDone = false
    let reads = 0
    const reader = async () => {
      while (!isDone) {
        const list = (await site.read('repodata/repomd.xml')).trim()
        const text = await site.read(list).catch(() => null)
        if (text === null) lost.push(list)
        for (const file of text?.split('\n') ?? []) await site.read(file).catch(() => lost.push(file))
        reads += 1
        await nextTurn()
      }
    }
    const reading = reader()

    for (let round = 1; round <= 50; round++) {
      const packages = { [`Packages/b/bash-${round}.rpm`]: `bash ${round}`, [bash]: `bash ${round % 3}` }
      await site.publish(at('10:00:00'), packages)
      await site.publications.prune(latest, { keep: 2, graceMs: hour, now: at('10:00:00') })
    }
    isDone = true
    await reading

    expect(lost).toEqual([])
    expect(reads).toBeGreaterThan(1)
  }, 60_000)
})

describe('publish times', () => {
  it('rise strictly, also when the clock goes back and when generations are gone', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), {})
    await site.publish(at('10:00:00'), {})
    await site.publish(at('09:00:00'), {})
    await site.publications.remove(latest)

    const after = await site.publish(at('08:00:00'), {}, { publications: await site.reopened() })

    expect(after.name).toBe('20261123T100003Z-1')
  })

  it('rise for a generation that repeats an older one', async () => {
    await using site = await Site.create()
    const first = await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })
    const before = await treeOf(site.absolute(latest))
    await site.publish(at('11:00:00'), { [bash]: 'other', 'flat.rpm': 'other' })

    await using stage = await site.publications.begin(latest, at('10:30:00'), {
      path: latest,
      generation: first.name,
      isRepeated: true,
    })
    const back = await stage.commit()

    const { [`repodata/${sha256(`${bash}\nflat.rpm`)}-primary.txt`]: carried, ...tree } = before
    expect(carried).toBe(`${bash}\nflat.rpm`)
    expect(await treeOf(site.absolute(latest))).toMatchObject(tree)
    expect(back).toEqual({ name: '20261123T110001Z-1', files: first.files, publishedAt: at('11:00:01') })
    expect((await fs.stat(site.absolute(`${latest}/repodata/repomd.xml`))).mtime).toEqual(at('11:00:01'))
    expect((await site.publications.generations(latest)).map(({ name }) => name)).toEqual([
      '20261123T110001Z-1',
      '20261123T110000Z-1',
      '20261123T100000Z-1',
    ])
  })

  it('are not found where the generation to repeat is not there', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), {})

    await expect(
      site.publications.begin(latest, at('11:00:00'), {
        path: latest,
        generation: '20200101T000000Z-1',
        isRepeated: true,
      }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('what clients midway were told of', () => {
  it('goes along for the grace period, with its old time', async () => {
    await using site = await Site.create({ graceMs: hour })
    const list = `repodata/${sha256(bash)}-primary.txt`
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await site.publish(at('12:00:00'), { [zsh]: 'zsh' })
    const wasThere = await fs.stat(site.absolute(`${latest}/${list}`))
    await site.publish(at('12:30:00'), {})
    const isStillThere = await exists(site.absolute(`${latest}/${list}`))

    await site.publish(at('13:00:00'), {})

    expect(wasThere.mtime).toEqual(at('10:00:00'))
    expect(isStillThere).toBe(true)
    expect(await exists(site.absolute(`${latest}/${list}`))).toBe(false)
    expect(await exists(site.absolute(`${latest}/repodata/${sha256(zsh)}-primary.txt`))).toBe(true)
  })

  it('gives way to what the new tree has in its place', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), {}, { metadata: 'a' })
    await using stage = await site.publications.begin(latest, at('10:01:00'))
    await stage.write(parseRelativePath('a'), 'a file now', 'entry')

    await stage.commit()

    expect(await treeOf(site.absolute(latest))).toEqual({ a: 'a file now' })
  })
})

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

describe('after a repair of the pool', () => {
  it('replaces the corrupt files that are published', async () => {
    await using site = await Site.create()
    const published = await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'bash', [zsh]: 'zsh' })
    const file = site.absolute(`${latest}/${bash}`)
    await fs.chmod(file, 0o644)
    await fs.writeFile(file, 'hsab')
    await site.pool.quarantine(sha256('bash'))
    await site.stored(bash, 'bash')

    const replaced = await site.publications.replaceFiles(new Set([sha256('bash')]))

    expect(replaced).toBe(2)
    expect([await site.read(bash), await site.read('flat.rpm')]).toEqual(['bash', 'bash'])
    expect((await fs.stat(file)).nlink).toBe(3)
    expect((await site.publications.current(latest))?.name).toBe(published.name)
  })
})

describe('pruning', () => {
  it('keeps what is new, what was current lately, and what clients see', async () => {
    await using site = await Site.create()
    for (const time of ['10:00:00', '11:00:00', '12:00:00', '13:00:00']) await site.publish(at(time), {})

    const tooSoon = await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('11:59:00') })
    const dropped = await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('13:10:00') })
    const all = await site.publications.prune(latest, { keep: 0, graceMs: 0, now: at('20:00:00') })

    expect(tooSoon).toEqual([])
    expect(dropped).toEqual(['20261123T110000Z-1', '20261123T100000Z-1'])
    expect(all).toEqual(['20261123T120000Z-1'])
    expect(await site.publications.current(latest)).toMatchObject({ name: '20261123T130000Z-1' })
  })

  it('keeps what shows the same as a newer one for the grace period, and others in its place', async () => {
    await using site = await Site.create()
    for (const time of ['10:00:00', '11:00:00', '12:00:00', '13:00:00']) await site.publish(at(time), {})
    const terms = { keep: 2, repeated: new Set(['20261123T120000Z-1', '20261123T110000Z-1']), graceMs: hour }

    const tooSoon = await site.publications.prune(latest, { ...terms, now: at('11:59:00') })
    const dropped = await site.publications.prune(latest, { ...terms, now: at('20:00:00') })

    expect(tooSoon).toEqual([])
    expect(dropped).toEqual(['20261123T120000Z-1', '20261123T110000Z-1'])
  })

  it('takes from the shelf what nothing has wanted for the grace period', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    await site.publish(at('10:00:00'), { [zsh]: 'zsh' }, { at: 'views/el9/latest' })
    await site.publish(at('11:00:00'), { 'Packages/n/new.rpm': 'new' })
    const shelf = site.absolute('.shelves/epel9/1')
    const terms = { keep: 1, graceMs: hour }

    await site.publications.prune(latest, { ...terms, now: at('12:00:00') })
    const marked = await pathsBelow(shelf)
    await site.publications.prune(latest, { ...terms, now: at('12:59:00') })
    const stillThere = await pathsBelow(shelf)
    await (await site.reopened()).prune(latest, { ...terms, now: at('13:00:00') })

    expect(marked).toContain('Packages/b/bash-5.1.rpm')
    expect(stillThere).toEqual(marked)
    expect(await pathsBelow(shelf)).toEqual([
      'Packages',
      'Packages/n',
      'Packages/n/new.rpm',
      'Packages/z',
      'Packages/z/zsh-5.8.rpm',
    ])
    expect(await site.read(zsh, 'views/el9/latest')).toBe('zsh')
  })

  it('keeps what is wanted again before the grace period is over', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await site.publish(at('11:00:00'), {})
    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('12:00:00') })

    const again = await site.publish(at('12:30:00'), { [bash]: 'bash' })
    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('20:00:00') })

    expect(again.packageLinks).toBe(0)
    expect(await site.read(bash)).toBe('bash')
  })

  it('looks at no other generation where there are only more of them', async () => {
    await using site = await Site.create()
    const terms = { keep: 5, graceMs: hour, now: at('12:00:00') }
    const claims = '.shelves/epel9/claims'
    await site.publish(at('10:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    await site.publications.prune(latest, terms)
    const [first] = await fs.readdir(site.absolute(claims))
    const claim = await fs.readFile(site.absolute(`${claims}/${first}`))
    await fs.writeFile(site.absolute(`${claims}/${first}`), 'not to be read')

    await site.publish(at('11:00:00'), { [bash]: 'bash' }, { at: 'views/el9/latest' })
    await site.publications.prune(parseRelativePath('views/el9/latest'), terms)
    await fs.writeFile(site.absolute(`${claims}/${first}`), claim)
    await site.publications.remove(latest)
    await site.publications.prune(latest, { ...terms, now: at('15:00:00') })

    const swept = await fs.readFile(site.absolute('.shelves/epel9/swept'), 'utf8')
    expect(swept).not.toContain(first)
    expect(await site.read(bash, 'views/el9/latest')).toBe('bash')
  })

  it('takes what was taken along once the grace period is over, although no generation has gone', async () => {
    await using site = await Site.create()
    const prune = (time: string) => site.publications.prune(latest, { keep: 5, graceMs: hour, now: at(time) })
    await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh' })
    await prune('10:00:00')
    await site.publish(at('11:00:00'), { [bash]: 'new' })
    await prune('11:00:00')
    const midway = await pathsBelow(site.absolute('.shelves/epel9/2'))

    await prune('13:00:00')

    expect(midway).toContain(zsh)
    expect(await pathsBelow(site.absolute('.shelves/epel9/2'))).not.toContain(zsh)
  })

  it('frees a path for other bytes once nothing has wanted the old ones for the grace period', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh' })
    await site.publish(at('11:00:00'), { [zsh]: 'zsh' })
    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('12:00:00') })

    await site.publish(at('12:30:00'), { [bash]: 'early', [zsh]: 'zsh' })
    const early = await fs.readlink(site.absolute(`${latest}/Packages`))
    await site.publish(at('13:30:00'), { [bash]: 'late', [zsh]: 'zsh' })

    expect(early).toContain('/epel9/2/')
    expect(await fs.readlink(site.absolute(`${latest}/Packages`))).toContain('/epel9/1/')
    expect(await site.read(bash)).toBe('late')
  })

  it('removes the shelf of a repository that nothing publishes any more', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await site.publications.remove(latest)

    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('12:00:00') })
    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('13:00:00') })

    expect(await exists(site.absolute('.shelves/epel9'))).toBe(false)
  })
})

describe('removing', () => {
  it('takes the path and leaves its neighbours and what they want', async () => {
    await using site = await Site.create()
    const one = parseRelativePath('repositories/epel9/snapshots/one')
    await site.publish(at('10:00:00'), { [bash]: 'bash' }, { at: one })
    await site.publish(at('10:00:00'), { [bash]: 'bash' }, { at: 'repositories/epel9/snapshots/two' })

    await site.publications.remove(one)
    await site.publications.remove(one)

    expect(await site.publications.list()).toEqual(['repositories/epel9/snapshots/two'])
    expect(await site.publications.generations(one)).toEqual([])
    expect(await site.read(bash, 'repositories/epel9/snapshots/two')).toBe('bash')
  })
})

describe('exporting', () => {
  it('writes an equal tree with no link in it', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })
    const target = path.join(site.folder, 'media/epel9')

    await using stage = await site.publications.exportTo(target, at('10:00:00'))
    await stage.place(await site.stored(bash, 'bash'), epel)
    await stage.place(await site.stored('flat.rpm', 'flat'), epel)
    for (const file of Object.entries(await treeOf(site.absolute(`${latest}/repodata`)))) {
      await stage.write(parseRelativePath(`repodata/${file[0]}`), file[1], 'entry')
    }
    const repomd = parseRelativePath('repodata/repomd.xml')
    const alias = parseRelativePath('by-hash/repomd.xml')
    await stage.alias(alias, repomd, 'plain')
    const generation = await stage.commit()

    expect(generation.files).toBe(5)
    const tree = await treeOf(site.absolute(latest))
    expect(await treeOf(target)).toEqual({ ...tree, [alias]: tree[repomd] })
    expect((await fs.stat(path.join(target, alias))).mtime).toEqual(at('10:00:00'))
    expect(await pathsBelow(path.join(site.folder, 'media'))).not.toContain(
      expect.stringContaining('.epel9.'),
    )
    for (const file of await pathsBelow(target)) {
      const stat = await fs.lstat(path.join(target, file))
      expect(stat.isSymbolicLink()).toBe(false)
      if (stat.isFile()) expect([stat.nlink, stat.mode & 0o777]).toEqual([1, 0o644])
      else expect(stat.mode & 0o777).toBe(0o755)
    }
  })

  it('takes an empty folder, refuses one that is not, and leaves nothing when it fails', async () => {
    await using site = await Site.create()
    const target = path.join(site.folder, 'media')
    await fs.mkdir(target)
    {
      await using stage = await site.publications.exportTo(target, at('10:00:00'))
      await expect(
        stage.place({ path: parseRelativePath('x'), digest: sha256('x'), size: 1 }, epel),
      ).rejects.toMatchObject({ code: 'BLOB_MISSING', details: { path: 'x' } })
    }
    const left = await fs.readdir(site.folder)
    await using stage = await site.publications.exportTo(target, at('10:00:00'))
    await stage.write(parseRelativePath('README'), 'text', 'plain')
    await stage.commit()

    expect(left.sort()).toEqual(['media', 'pool', 'published'])
    expect(await treeOf(target)).toEqual({ README: 'text' })
    await expect(site.publications.exportTo(target, at('10:00:00'))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
  })
})

/** A pool on another device than the published folder: what it places are copies. */
function copyingPool(pool: Pool): Pool {
  return new Proxy(pool, {
    get(target, key) {
      if (key === 'place') {
        return async (...[digest, file]: Parameters<Pool['place']>) => {
          await target.place(digest, `${file}.linked`)
          await fs.copyFile(`${file}.linked`, file, fs.constants.COPYFILE_EXCL)
          await fs.rm(`${file}.linked`)
          return 'copy'
        }
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
