import { describe, expect, it } from 'vitest'
import { openAptSite } from '../../../tests/support/apt-site.ts'
import { aptFiles, changeApt, startAptUpstream } from '../../../tests/support/apt-upstream.ts'

const amd64 = 'main/binary-amd64/Packages'
const changed = (edit: (text: string) => string) => changeApt(aptFiles('v1'), { indexes: { [amd64]: edit } })
const greeter = (edit: (stanza: string) => string) =>
  changed((text) => text.replace(/^Package: greeter\n(?:.+\n)+/m, edit))

describe('entries of an index', () => {
  it.each([
    ['without a version', (stanza: string) => stanza.replace(/^Version: .*\n/m, '')],
    ['without a size', (stanza: string) => stanza.replace(/^Size: .*\n/m, '')],
    ['with a size that is none', (stanza: string) => stanza.replace(/^Size: .*/m, 'Size: many')],
    ['with a field twice', (stanza: string) => stanza.replace(/^Version: /m, 'Version: 1\nVersion: ')],
    ['with a line that is no field', (stanza: string) => stanza.replace(/^Version: /m, 'nothing\nVersion: ')],
  ])('%s are left out with a warning; the rest is taken', async (_, edit) => {
    await using upstream = await startAptUpstream(await greeter(edit))
    await using site = await openAptSite(upstream.url, { options: { architectures: ['amd64'] } })

    const { packages, warnings } = await site.sync('filtered')

    expect(warnings.map(({ code }) => code)).toEqual(['METADATA_MALFORMED'])
    expect(warnings[0]?.message).toContain(amd64)
    // Of two versions of greeter, the older.
    expect(packages).toBe(9)
  })

  it('that promise different bytes under one path are settled for the newer version', async () => {
    const both = await changed((text) => {
      const [, stanza = ''] = /^(Package: greeter\n(?:.+\n)+)/m.exec(text) ?? []
      const forged = stanza
        .replace(/^Version: .*/m, 'Version: 0.1')
        .replace(/^SHA256: .*/m, `SHA256: ${'0'.repeat(64)}`)
        .replace(/^MD5sum: .*\n/m, '')
      return `${text}\n${forged}`
    })
    await using upstream = await startAptUpstream(both)
    await using site = await openAptSite(upstream.url, { options: { architectures: ['amd64'] } })

    const { packages, warnings } = await site.sync('filtered')

    expect(packages).toBe(10)
    expect(warnings.map(({ code }) => code)).toEqual(['DUPLICATE_PACKAGE'])
  })
})
