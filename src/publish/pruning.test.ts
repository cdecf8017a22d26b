import * as fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parseRelativePath } from '../core/path.ts'
import { at, bash, exists, hour, latest, pathsBelow, Site, zsh } from './publications.test-support.ts'

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

  it('keeps what does not count for the grace period, and others in its place', async () => {
    await using site = await Site.create()
    for (const time of ['10:00:00', '11:00:00', '12:00:00', '13:00:00']) await site.publish(at(time), {})
    const terms = { keep: 2, uncounted: new Set(['20261123T120000Z-1', '20261123T110000Z-1']), graceMs: hour }

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
