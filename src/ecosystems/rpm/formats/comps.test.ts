import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parseComps, pruneComps } from './comps.ts'

const corpus = '../shared/corpus/rpm'
const comps = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>web</id>
    <name xml:lang="de">Netz</name>
    <name>Web &amp; more</name>
    <description/>
    <default>false</default>
    <packagelist>
      <packagereq type="mandatory">nginx</packagereq>
      <packagereq type="conditional" requires="php">php-fpm</packagereq><packagereq>apache</packagereq>
    </packagelist>
  </group>
  <group>
    <id>hollow</id>
    <uservisible>True</uservisible>
    <packagelist/>
  </group>
  <environment>
    <id>server</id>
    <name>Server</name>
    <grouplist><groupid>web</groupid></grouplist>
    <optionlist><groupid default="true">hollow</groupid></optionlist>
  </environment>
  <category><id>all</id><_name>All</_name><grouplist><groupid>web</groupid><groupid>hollow</groupid></grouplist></category>
  <langpacks><match name="aspell" install="aspell-%s"/></langpacks>
</comps>
`

describe('parseComps', () => {
  it('reads groups, categories, environments and langpacks', () => {
    expect(parseComps(Buffer.from(comps))).toEqual({
      groups: [
        {
          id: 'web',
          name: 'Web & more',
          description: null,
          isDefault: false,
          isUserVisible: null,
          packages: [
            { name: 'nginx', type: 'mandatory', requires: null },
            { name: 'php-fpm', type: 'conditional', requires: 'php' },
            { name: 'apache', type: null, requires: null },
          ],
        },
        { id: 'hollow', name: null, description: null, isDefault: null, isUserVisible: true, packages: [] },
      ],
      categories: [{ id: 'all', name: 'All', groupIds: ['web', 'hollow'] }],
      environments: [{ id: 'server', name: 'Server', groupIds: ['web'], optionalGroupIds: ['hollow'] }],
      langpacks: [{ name: 'aspell', install: 'aspell-%s' }],
    })
  })

  it.each([
    ['another root', '<html/>'],
    ['text that is no XML', 'not found'],
    ['an element that is not closed', '<comps><group></comps>'],
    ['entities of its own', '<!DOCTYPE comps [<!ENTITY a "b">]><comps/>'],
  ])('refuses %s', (_what, text) => {
    expect(() => parseComps(Buffer.from(text))).toThrow(
      expect.toSatisfy((error: unknown) => isChantalError(error, 'UPSTREAM_INVALID')),
    )
  })
})

describe('pruneComps', () => {
  it('takes out packages that are not published and no other byte', () => {
    const pruned = pruneComps(Buffer.from(comps), new Set(['php-fpm']))

    expect(pruned.toString()).toBe(
      comps.replace(/.*nginx.*\n/, '').replace('<packagereq>apache</packagereq>', ''),
    )
  })

  it('keeps a group that loses all its packages, and all that refers to it', () => {
    const before = parseComps(Buffer.from(comps))

    const after = parseComps(pruneComps(Buffer.from(comps), new Set()))

    expect(after).toEqual({ ...before, groups: before.groups.map((group) => ({ ...group, packages: [] })) })
  })

  it('gives the very bytes where all packages are published', () => {
    const bytes = Buffer.from(comps, 'latin1')

    expect(pruneComps(bytes, new Set(['nginx', 'php-fpm', 'apache']))).toBe(bytes)
  })

  it('keeps a byte order mark', () => {
    const pruned = pruneComps(Buffer.from(`\uFEFF${comps}`), new Set(['nginx', 'php-fpm']))

    expect(pruned.toString()).toBe(`\uFEFF${comps.replace('<packagereq>apache</packagereq>', '')}`)
  })

  it('keeps bytes that are not UTF-8', () => {
    const bytes = Buffer.from(comps.replace('Netz', 'N\u00e9t'), 'latin1')

    expect(Buffer.from(pruneComps(bytes, new Set())).includes(Buffer.from('N\u00e9t', 'latin1'))).toBe(true)
  })
})

describe.skipIf(!existsSync(corpus))('comps corpus (../shared/corpus is there)', () => {
  const files = existsSync(corpus)
    ? readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /comps[^/]*\.xml(?:\.gz)?$/.test(name),
      )
    : []

  it.each(files)('reads and prunes %s', (name) => {
    const raw = readFileSync(`${corpus}/${name}`)
    const bytes = name.endsWith('.gz') ? gunzipSync(raw) : raw
    const before = parseComps(bytes)
    const names = before.groups.flatMap((group) => group.packages.map((one) => one.name))
    const half = new Set(names.filter((_name, index) => index % 2 === 0))

    const after = parseComps(pruneComps(bytes, half))

    expect(pruneComps(bytes, new Set(names))).toBe(bytes)
    const groups = before.groups.map((group) => ({
      ...group,
      packages: group.packages.filter((one) => half.has(one.name)),
    }))
    expect(after).toEqual({ ...before, groups })
  })
})
