import { describe, expect, it } from 'vitest'
import { classifyIndexPath, type IndexPath } from './index-path.ts'

const nothing = { component: '', architecture: null, isUdeb: false, language: null }
const amd64 = { architecture: 'amd64' }
const source = { architecture: 'source' }
const main = { component: 'main' }

const cases: readonly (readonly [path: string, kind: IndexPath['kind'], Partial<IndexPath>])[] = [
  ['main/binary-amd64/Packages.xz', 'packages', { ...main, ...amd64 }],
  ['main/binary-all/Packages.zst', 'packages', { ...main, architecture: 'all' }],
  ['main/binary-kfreebsd-amd64/Packages', 'packages', { ...main, architecture: 'kfreebsd-amd64' }],
  ['updates/main/binary-amd64/Packages', 'packages', { component: 'updates/main', ...amd64 }],
  ['main/debian-installer/binary-amd64/Packages.gz', 'packages', { ...main, ...amd64, isUdeb: true }],
  ['main/source/Sources.xz', 'sources', { ...main, ...source }],
  ['main/i18n/Translation-en.bz2', 'translation', { ...main, language: 'en' }],
  ['main/i18n/Translation-pt_BR.xz', 'translation', { ...main, language: 'pt_BR' }],
  ['main/i18n/Translation-ca@valencia', 'translation', { ...main, language: 'ca@valencia' }],
  ['Contents-amd64.gz', 'contents', amd64],
  ['main/Contents-all.gz', 'contents', { ...main, architecture: 'all' }],
  ['main/Contents-udeb-amd64.gz', 'contents', { ...main, ...amd64, isUdeb: true }],
  ['main/Contents-source.gz', 'contents', { ...main, ...source }],
  ['main/dep11/Components-amd64.yml.gz', 'appstream', { ...main, ...amd64 }],
  ['main/dep11/CID-Index-amd64.json.gz', 'appstream', { ...main, ...amd64 }],
  ['main/dep11/icons-64x64@2.tar.gz', 'appstream', main],
  ['main/cnf/Commands-amd64.xz', 'commands', { ...main, ...amd64 }],
  ['main/binary-amd64/Packages.diff/Index', 'diff', { ...main, ...amd64 }],
  ['main/binary-amd64/Packages.diff/T-2026-01-02-0304.05-F-2026.gz', 'diff', { ...main, ...amd64 }],
  ['main/debian-installer/binary-amd64/Packages.diff/Index', 'diff', { ...main, ...amd64, isUdeb: true }],
  ['main/source/Sources.diff/Index', 'diff', { ...main, ...source }],
  ['main/i18n/Translation-en.diff/Index', 'diff', { ...main, language: 'en' }],
  ['Contents-amd64.diff/Index', 'diff', amd64],
  ['main/installer-amd64/current/images/SHA256SUMS', 'installer', { ...main, ...amd64 }],
  ['main/installer-amd64/current/legacy-images/SHA256SUMS', 'installer', { ...main, ...amd64 }],
  ['main/installer-amd64/20230607+deb12u1/images/udeb.list', 'installer', { ...main, ...amd64 }],
  ['main/installer-arm64/current/images/netboot/Packages', 'installer', { ...main, architecture: 'arm64' }],
  ['main/binary-amd64/Release', 'release', { ...main, ...amd64 }],
  ['main/debian-installer/binary-amd64/Release', 'release', { ...main, ...amd64, isUdeb: true }],
  ['main/source/Release', 'release', { ...main, ...source }],
  ['Release', 'release', {}],
  ['InRelease', 'release', {}],
  ['Packages', 'packages', {}],
  ['Packages.lzma', 'packages', {}],
  ['Sources.gz', 'sources', source],
  ['i18n/Translation-en', 'translation', { language: 'en' }],
  ['main/dist-upgrader-all/current/noble.tar.gz', 'other', { component: 'main/dist-upgrader-all/current' }],
  ['main/i18n/Index', 'other', { component: 'main/i18n' }],
  ['README', 'other', {}],
  ['main/binary-amd64/Packages-old', 'other', { component: 'main/binary-amd64' }],
  ['main/Contents-amd64.old', 'other', main],
  ['x.diff/Index', 'diff', {}],
  ['', 'other', {}],
]

describe('classifyIndexPath', () => {
  it.each(cases)('knows %s', (path, kind, rest) => {
    expect(classifyIndexPath(path)).toMatchObject({ kind, ...nothing, ...rest })
  })

  it.each(['', '.gz', '.xz', '.zst', '.bz2', '.lzma'] as const)('takes the extension %j off', (extension) => {
    expect(classifyIndexPath(`main/source/Sources${extension}`)).toMatchObject({
      kind: 'sources',
      plainPath: 'main/source/Sources',
      extension,
    })
  })

  it('judges a path of any length quickly', () => {
    const long = `${'binary-amd64/'.repeat(300)}Packages-`

    expect(classifyIndexPath(long).kind).toBe('other')
  })
})
