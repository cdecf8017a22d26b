import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { isPlainPackage, notPlain, plainPackageEnd, unfinished } from './plain-package.ts'
import { repodataFooter, repodataHeader } from './repodata-document.ts'
import { StrictPackageReader } from './strict-package-reader.ts'

const sound =
  '<package type="rpm"><name>a]&#x41; &amp;</name><rpm:x a="b&quot;]" xml:base="q"/>\n<f><g h="">é\uff01\uffe0</g></f></package>'

/** What a conforming parser makes of it, set in our own document; `null` where it refuses. */
function readStrictly(fragment: string): readonly string[] | null {
  const reader = new StrictPackageReader('primary', 1 << 20, null)
  const text = repodataHeader('primary', 1) + fragment + repodataFooter('primary')
  try {
    return [...reader.write(Buffer.from(text)), ...reader.end()].map(String)
  } catch (error) {
    if (isChantalError(error, 'UPSTREAM_INVALID')) return null
    throw error
  }
}

describe('isPlainPackage', () => {
  it('accepts what createrepo_c writes', () => {
    expect(isPlainPackage(Buffer.from(sound), 'primary')).toBe(true)
  })

  it.each([
    ['two packages', sound + sound],
    ['something behind it', `${sound}\n`],
    ['something before it', ` ${sound}`],
    ['an end too many', `${sound}</metadata>`],
    ['an end of the root in it', sound.replace('<f>', '</package></metadata><metadata><package>')],
    ['another element', sound.replaceAll('package', 'Package')],
    ['a nested package', sound.replace('<f>', '<f><package/>')],
    ['a comment', sound.replace('<f>', '<!-- --><f>')],
    ['CDATA', sound.replace('<f>', '<![CDATA[</package>]]><f>')],
    ['a processing instruction', sound.replace('<f>', '<?x?><f>')],
    ['a namespace', sound.replace('<f>', '<f xmlns="urn:x">')],
    ['a prefix bound', sound.replace('<f>', '<f xmlns:rpm="urn:x">')],
    ['an unknown prefix', sound.replaceAll('rpm:x', 'x:x')],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(isPlainPackage(Buffer.from(text), 'primary')).toBe(false)
  })

  it('refuses bytes that are not UTF-8, and rpm: outside primary', () => {
    expect(isPlainPackage(Buffer.from(sound, 'latin1'), 'primary')).toBe(false)
    expect(isPlainPackage(Buffer.from(sound), 'other')).toBe(false)
  })

  it('takes every beginning of a package for unfinished', () => {
    const bytes = Buffer.from(sound)

    for (let end = 0; end < bytes.length; end += 1) {
      expect([end, plainPackageEnd(bytes.subarray(0, end), 0, 'primary')]).toEqual([end, unfinished])
    }
    expect(plainPackageEnd(Buffer.from(`${sound}<x`), 0, 'primary')).toBe(bytes.length)
    expect(plainPackageEnd(Buffer.from('<package>&x;'), 0, 'primary')).toBe(notPlain)
  })

  it('accepts nothing that a conforming parser refuses or takes for something else', () => {
    const edits = [
      ...'<>&;"\'/= ]x:#\n\t\r![-?',
      ...[
        '&amp;',
        '</f>',
        '<f>',
        ' xmlns="u"',
        ' xmlns:rpm="u"',
        '<!--x-->',
        '<![CDATA[',
        ']]>',
        '\u0001',
        '\ufffe',
      ],
      ...[
        'package',
        '</package>',
        '<package>',
        'rpm:',
        'xml:',
        '&#0;',
        '&#x110000;',
        '&#xD800;',
        ' a="1"',
        'h',
        '',
      ],
    ]
    const edit = fc.tuple(fc.nat(sound.length), fc.nat(3), fc.constantFrom(...edits))
    let accepted = 0
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (changes) => {
        const text = changes.reduce(
          (before, [at, removed, added]) => before.slice(0, at) + added + before.slice(at + removed),
          sound,
        )
        if (!isPlainPackage(Buffer.from(text), 'primary')) return
        accepted += 1
        expect(readStrictly(text)?.length).toBe(1)
      }),
      { numRuns: 20_000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })
})
