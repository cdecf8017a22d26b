import { describe, expect, it } from 'vitest'
import { parseComps } from './comps.ts'
import { mergeComps } from './comps-merge.ts'

const comps = (body: string) => Buffer.from(`<?xml version="1.0"?><comps>${body}</comps>`)

const base = comps(`
  <group><id>web</id><name>Web &amp; more</name><name xml:lang="de">Netz</name>
    <packagelist><packagereq type="mandatory">nginx</packagereq></packagelist></group>
  <environment><id>server</id><name>Server</name><grouplist><groupid>web</groupid></grouplist></environment>
  <langpacks><match name="aspell" install="aspell-%s"/></langpacks>`)

const more = comps(`
  <group><id>web</id><name>Something else</name>
    <packagelist><packagereq type="optional">nginx</packagereq><packagereq requires="php" type="conditional">php-fpm</packagereq></packagelist></group>
  <group><id>editors</id><packagelist/></group>
  <environment><id>server</id><name>S</name><grouplist><groupid>web</groupid><groupid>editors</groupid></grouplist>
    <optionlist><groupid default="true">games</groupid></optionlist></environment>
  <langpacks><match name="man" install="man-%s"/><match name="aspell" install="x"/></langpacks>`)

describe('mergeComps', () => {
  it('gives a single document back as it is', () => {
    expect(mergeComps([base])).toBe(base)
  })

  it('has every group once, as the first has it, with the packages of all', () => {
    const { groups } = parseComps(mergeComps([base, more]))

    expect(groups).toEqual([
      {
        id: 'web',
        name: 'Web & more',
        description: null,
        isDefault: null,
        isUserVisible: null,
        packages: [
          { name: 'nginx', type: 'mandatory', requires: null },
          { name: 'php-fpm', type: 'conditional', requires: 'php' },
        ],
      },
      { id: 'editors', name: null, description: null, isDefault: null, isUserVisible: null, packages: [] },
    ])
  })

  it('joins the groups of environments, also a list that the first has not', () => {
    const { environments } = parseComps(mergeComps([base, more]))

    expect(environments).toEqual([
      { id: 'server', name: 'Server', groupIds: ['web', 'editors'], optionalGroupIds: ['games'] },
    ])
  })

  it('fills a list that is empty in the first', () => {
    const filled = comps(
      '<group><id>editors</id><packagelist><packagereq>vim</packagereq></packagelist></group>',
    )
    const { groups } = parseComps(mergeComps([more, filled]))

    expect(groups.find(({ id }) => id === 'editors')?.packages).toEqual([
      { name: 'vim', type: null, requires: null },
    ])
  })

  it('has each language pack once', () => {
    const { langpacks } = parseComps(mergeComps([base, more]))

    expect(langpacks).toEqual([
      { name: 'aspell', install: 'aspell-%s' },
      { name: 'man', install: 'man-%s' },
    ])
  })

  it('keeps translations and entities as written', () => {
    const text = Buffer.from(mergeComps([base, more])).toString('utf8')

    expect(text).toContain('<name>Web &amp; more</name><name xml:lang="de">Netz</name>')
  })

  it('merges what is merged already into the same', () => {
    const once = mergeComps([base, more])

    expect(parseComps(mergeComps([once, more, base]))).toEqual(parseComps(once))
  })

  it('refuses what is no comps.xml', () => {
    const merge = () => mergeComps([base, Buffer.from('<html/>')])

    expect(merge).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })
})
