import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parseTreeinfo } from './treeinfo.ts'

const sha = (digit: string): string => digit.repeat(64)
const rhel = `[checksums]
images/boot.iso = sha256:${sha('a')}
Images/Boot.iso = sha256:${sha('b')}
images/install.img = sha256:${sha('C')}
images/pxeboot/initrd.img = blake9:${sha('d')}
repodata/repomd.xml = sha256:${sha('e')}

[general]
; WARNING.0 = This section is for old readers.
arch = x86_64
family = Red Hat Enterprise Linux
packagedir = Packages
repository = .
timestamp = 1712345678
variant = BaseOS
version = 9.4

[header]
type = productmd.treeinfo
version = 1.2

[images-x86_64]
boot.iso = images/boot.iso
initrd = images/pxeboot/initrd.img
kernel = images/pxeboot/vmlinuz

[images-xen]
initrd = ./images/pxeboot//initrd.img
kernel = images/pxeboot/vmlinuz-xen

[media]
discnum = 1
totaldiscs = 2

[release]
name = Red Hat Enterprise Linux
short = RHEL
version = 9.4

[stage2]
mainimage = images/install.img
instimage = images/minstg2.img

[tree]
arch = x86_64
build_timestamp = 1712345678.93
platforms = x86_64,xen
variants = AppStream,BaseOS

[variant-AppStream]
packages = ../../../appstream/x86_64/os/Packages
repository = ../../../appstream/x86_64/os

[variant-BaseOS]
addons = HighAvailability
packages = Packages/
repository = .

[addon-HighAvailability]
repository = addons/HighAvailability
`

describe('parseTreeinfo', () => {
  it('lists every file that any section refers to, once, with its checksum where stated', () => {
    const { files } = parseTreeinfo(rhel)

    expect(files.map((file) => [file.path, file.checksum?.hex ?? null])).toEqual([
      ['images/boot.iso', sha('a')],
      ['Images/Boot.iso', sha('b')],
      ['images/install.img', sha('c')],
      ['images/pxeboot/initrd.img', null],
      ['repodata/repomd.xml', sha('e')],
      ['images/pxeboot/vmlinuz', null],
      ['images/pxeboot/vmlinuz-xen', null],
      ['images/minstg2.img', null],
    ])
  })

  it('says where the repositories of variants and add-ons are, and which lie outside the tree', () => {
    const { variants } = parseTreeinfo(rhel)

    expect(variants).toEqual([
      {
        id: 'AppStream',
        kind: 'variant',
        repository: { where: 'outside', reference: '../../../appstream/x86_64/os' },
        packages: { where: 'outside', reference: '../../../appstream/x86_64/os/Packages' },
      },
      {
        id: 'BaseOS',
        kind: 'variant',
        repository: { where: 'inside', path: '' },
        packages: { where: 'inside', path: 'Packages' },
      },
      {
        id: 'HighAvailability',
        kind: 'addon',
        repository: { where: 'inside', path: 'addons/HighAvailability' },
        packages: null,
      },
    ])
  })

  it('takes the folder of a repository’s metadata, as old trees name it, for the repository', () => {
    const folderOf = (reference: string) =>
      parseTreeinfo(`[variant-Server]\nrepository = ${reference}\n`).variants[0]?.repository

    expect(folderOf('Server/repodata')).toEqual({ where: 'inside', path: 'Server' })
    expect(folderOf('./repodata/')).toEqual({ where: 'inside', path: '' })
  })

  it('reads what the tree is', () => {
    expect(parseTreeinfo(rhel)).toMatchObject({
      release: { name: 'Red Hat Enterprise Linux', short: 'RHEL', version: '9.4' },
      architecture: 'x86_64',
      buildTimestamp: 1712345678.93,
      platforms: ['x86_64', 'xen'],
      media: { disc: 1, total: 2 },
    })
  })

  it('reads a tree of before productmd', () => {
    const old = `[general]\r\nfamily = CentOS\r\ntimestamp = 1394111947.91\r\nversion = 6\r\npackagedir = \r\nrepository = .\r\narch = i386\r\n[images-i386]\r\nkernel = images/pxeboot/vmlinuz\r\n`

    expect(parseTreeinfo(old)).toEqual({
      files: [{ path: 'images/pxeboot/vmlinuz', checksum: null }],
      variants: [{ id: '', kind: 'general', repository: { where: 'inside', path: '' }, packages: null }],
      release: { name: 'CentOS', short: null, version: '6' },
      architecture: 'i386',
      buildTimestamp: 1394111947.91,
      platforms: [],
      media: null,
    })
  })

  it('takes a file with hardly anything in it', () => {
    expect(parseTreeinfo('[header]\nversion = 1.2\n')).toMatchObject({ files: [], variants: [], media: null })
  })

  it.each([
    ['[checksums]\n../../etc/cron.d/x = sha256:00\n'],
    ['[images-x86_64]\nkernel = /etc/passwd\n'],
    ['[stage2]\nmainimage = images/../../x\n'],
    ['[images-x86_64]\nkernel = a\n  b\n'],
  ])('refuses a file outside the tree: %j', (text) => {
    expect(() => parseTreeinfo(text)).toThrow(
      expect.toSatisfy((error: unknown) => isChantalError(error, 'PATH_UNSAFE')),
    )
  })

  it('refuses an error page', () => {
    expect(() => parseTreeinfo('<html><body>Not here</body></html>')).toThrow(/no section/)
  })
})
