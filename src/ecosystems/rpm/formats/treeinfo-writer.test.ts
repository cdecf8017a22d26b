import { describe, expect, it } from 'vitest'
import { parseTreeinfo } from './treeinfo.ts'
import { writeGeneratedTreeinfo } from './treeinfo-writer.ts'

/** As the DVD of a distribution has it, shortened. */
const dvd = `[checksums]
AppStream/repodata/repomd.xml = sha256:${'a'.repeat(64)}
images/install.img = sha256:${'b'.repeat(64)}
./repodata/repomd.xml = sha256:${'c'.repeat(64)}

[general]
; WARNING.0 = This section is for old readers.
packagedir = Packages
repository = .
variant = BaseOS
variants = AppStream,BaseOS

[tree]
arch = x86_64
variants = AppStream,
  BaseOS

[variant-AppStream]
id = AppStream
packages = AppStream/Packages
repository = AppStream
type = variant

[variant-BaseOS]
id = BaseOS
packages = Packages
repository = .
type = variant
`

const withoutAppStream = `[checksums]
images/install.img = sha256:${'b'.repeat(64)}

[general]
; WARNING.0 = This section is for old readers.
packagedir = Packages
repository = .
variant = BaseOS
variants = BaseOS

[tree]
arch = x86_64
variants = BaseOS

[variant-BaseOS]
id = BaseOS
packages = Packages
repository = .
type = variant
`

/** As of Enterprise Linux 7, shortened. */
const addons = `[general]
addons = HighAvailability,Here
variant = Server

[tree]
variants = Server

[variant-Server]
addons = Server-HighAvailability,Server-Here
repository = .

[addon-Server-HighAvailability]
packages = addons/HighAvailability
repository = addons/HighAvailability

[addon-Server-Here]
repository = ./
`

describe('the treeinfo of a generated tree', () => {
  it('names no variant whose repository is elsewhere in the tree of upstream, and no metadata of upstream', () => {
    expect(writeGeneratedTreeinfo(dvd)).toBe(withoutAppStream)
  })

  it('names no variant whose repository is outside of the tree', () => {
    const outside = dvd
      .replaceAll('= AppStream/Packages', '= ../../../AppStream/x86_64/os/Packages')
      .replace('repository = AppStream', 'repository = ../../../AppStream/x86_64/os')

    expect(writeGeneratedTreeinfo(outside)).toBe(withoutAppStream)
  })

  it('keeps line ends, and all other lines', () => {
    const windows = (text: string) => text.replaceAll('\n', '\r\n')

    expect(writeGeneratedTreeinfo(windows(dvd))).toBe(windows(withoutAppStream))
    expect(writeGeneratedTreeinfo(withoutAppStream)).toBe(withoutAppStream)
  })

  it('names no add-on whose repository is elsewhere, however it is listed', () => {
    expect(writeGeneratedTreeinfo(addons)).toBe(`[general]
addons = Here
variant = Server

[tree]
variants = Server

[variant-Server]
addons = Server-Here
repository = .

[addon-Server-Here]
repository = ./
`)
  })

  it('has no list of add-ons where none is left', () => {
    const one = addons.replaceAll(',Here', '').replaceAll(',Server-Here', '')

    expect(writeGeneratedTreeinfo(one)).not.toContain('addons')
  })

  it.each([
    ['that [general] names', 'variant = BaseOS', 'BaseOS'],
    ['that is the first', 'variant = Other', 'AppStream'],
  ])(
    'keeps the variant %s where none has the repository at the top: installers need one',
    (_, named, kept) => {
      const moved = dvd
        .replaceAll('repository = .\n', 'repository = BaseOS/repodata\n')
        .replace('variant = BaseOS', named)

      const written = writeGeneratedTreeinfo(moved)

      expect(parseTreeinfo(written).variants).toEqual([
        { id: kept, kind: 'variant', repository: { where: 'inside', path: '' }, packages: null },
      ])
      expect(written).toContain(`\nvariants = ${kept}\n\n[variant-`)
      expect(written).toContain(`; WARNING.0 = This section is for old readers.\nrepository = .\n${named}\n`)
    },
  )

  it('of before productmd says that the repository is at the top', () => {
    const old =
      '[general]\nfamily = Old\npackagedir = Server\nrepository = Server/repodata\nvariant = Server\n'

    expect(writeGeneratedTreeinfo(old)).toBe('[general]\nfamily = Old\nrepository = .\nvariant = Server\n')
  })
})
