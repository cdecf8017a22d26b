import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parsePackageQuery } from './package-query.ts'
import { specialFields } from './package-query-terms.ts'
import { parseStanza } from './stanza.ts'

const entries = {
  nginx: `Package: nginx
Version: 1:1.22.1-9~deb12u1
Architecture: amd64
Installed-Size: 1500
Provides: httpd, httpd-cgi (= 1.22), nginx-abi-1.22
Section: contrib/httpd
Priority: optional
Description: small, powerful (and fast) web server
Filename: pool/main/n/nginx/nginx.deb
`,
  perl: `Package: perl-base
Source: perl (5.36.0-7)
Version: 5.36.0-7+b1
Architecture: all
Installed-Size: 900
Essential: yes
Priority: required
Filename: pool/main/p/perl/perl-base.deb
`,
  udeb: `Package: ca-certificates-udeb
Source: ca-certificates
Version: 20230311
Architecture: all
Filename: pool/main/c/ca-certificates/ca-certificates-udeb_20230311_all.udeb
`,
  source: `Package: openssh
Version: 1:9.2p1-2
Architecture: any all
Directory: pool/main/o/openssh
Files:
 ${'0'.repeat(32)} 1 openssh_9.2p1-2.dsc
`,
}
const names = ['nginx', 'perl', 'udeb', 'source'] as const

/** Which of the entries meet a query, in order. */
function found(text: string): string {
  const query = parsePackageQuery(text)
  return names.filter((name) => query.matches(parseStanza(Buffer.from(entries[name])))).join(' ')
}

describe('parsePackageQuery', () => {
  it.each([
    ['Name (= nginx)', 'nginx'],
    ['Name (nginx)', 'nginx'],
    ['Priority (required)', 'perl'],
    ['Priority (Required)', ''],
    ['Essential', 'perl'],
    ['!Essential', 'nginx udeb source'],
    ['Name (>= o)', 'perl source'],
    ['Name (<< nginx)', 'udeb'],
    ['Name (<= nginx)', 'nginx udeb'],
    ['Priority (= "")', 'udeb source'],
    ['Name (% *-*)', 'perl udeb'],
    ['Name (% ng?n[wx])', 'nginx'],
    ['Name (% [^a-o]*)', 'perl'],
    ['Name (% perl)', ''],
    ['Section (% *httpd)', ''],
    ['Section (% */httpd)', 'nginx'],
    ['Name (~ -)', 'perl udeb'],
    ['Name (~ ^open)', 'source'],
    ['Name (~ "^(nginx|perl-base)$")', 'nginx perl'],
    ['Name (~ "(?i)NGINX")', 'nginx'],
    ["Description (% 'small, powerful (and fast) *')", 'nginx'],
    ['Description (~ "fast\\\\) web")', 'nginx'],
  ])('compares the text of fields: %s', (text, expected) => {
    expect(found(text)).toBe(expected)
  })

  it.each([
    ['$Version (= 1:1.22.1-9~deb12u1)', 'nginx'],
    ['$Version (01:1.22.1-9~deb12u1)', 'nginx'],
    ['$Version (<< 1:1.22.1-9)', 'nginx perl udeb'],
    ['$Version (>> 5.36.0-7)', 'nginx perl udeb source'],
    ['Version (>= 1:2)', 'source'],
    ['$Version (% 1:*~deb12u?)', 'nginx'],
    ['$SourceVersion (= 5.36.0-7)', 'perl'],
    ['$SourceVersion (> 20230311), !$PackageType (source)', 'nginx udeb'],
  ])('compares versions in the order of packages: %s', (text, expected) => {
    expect(found(text)).toBe(expected)
  })

  it.each([
    ['Installed-Size (>= 1000)', 'nginx'],
    ['Installed-Size (< 900)', 'perl udeb source'],
  ])('compares numbers as numbers: %s', (text, expected) => {
    expect(found(text)).toBe(expected)
  })

  it.each([
    ['$Source (perl)', 'perl'],
    ['$Source (nginx)', 'nginx'],
    ['$Source', 'nginx perl udeb'],
    ['$PackageType (deb)', 'nginx perl'],
    ['$PackageType (udeb)', 'udeb'],
    ['$PackageType (source)', 'source'],
    ['$Architecture (amd64)', 'nginx perl udeb'],
    ['$Architecture (arm64)', 'perl udeb'],
    ['$Architecture (source)', 'source'],
    ['$Architecture (% a??)', 'perl udeb'],
    ['Architecture ("any all")', 'source'],
  ])('knows what is not stated as it is asked for: %s', (text, expected) => {
    expect(found(text)).toBe(expected)
  })

  it.each([
    ['nginx', 'nginx'],
    ['httpd', 'nginx'],
    ['httpd-cgi', 'nginx'],
    ['http', ''],
    ['nginx (>= 1.22)', 'nginx'],
    ['nginx (>= 2:0)', ''],
    ['httpd-cgi (>= 1)', ''],
    ['nginx(>=1.22)', 'nginx'],
    ['nginx (~ deb12)', 'nginx'],
    ['nginx {amd64}', 'nginx'],
    ['nginx (>= 1.22) {arm64}', ''],
    ['perl-base {arm64}', 'perl'],
    ['perl-base { source }', ''],
    ['nginx_1:1.22.1-9~deb12u1_amd64', 'nginx'],
    ['nginx_1:1.22.1-9~deb12u1_i386', ''],
    ['openssh_1:9.2p1-2_source', 'source'],
  ])('finds packages by name: %s', (text, expected) => {
    expect(found(text)).toBe(expected)
  })

  it.each([
    ['Essential | nginx', 'nginx perl'],
    ['Essential, perl-base', 'perl'],
    ['Essential, nginx | openssh', 'source'],
    ['openssh | Essential, nginx', 'source'],
    ['Essential, (nginx | perl-base)', 'perl'],
    ['!Essential, !nginx', 'udeb source'],
    ['!(Essential | nginx)', 'udeb source'],
    ['!!Essential', 'perl'],
    [' \n! ( Essential|nginx ),\topenssh\n', 'source'],
  ])('joins terms: %s', (text, expected) => {
    expect(found(text)).toBe(expected)
  })

  it.each([
    ['', 1, 'a field or the name of a package', 'the end', /quotes/],
    ['nginx,', 7, 'a field or the name of a package', 'the end', /quotes/],
    ['nginx | ', 9, 'a field or the name of a package', 'the end', /quotes/],
    ['Name = nginx', 6, '",", "|" or the end', '"="', /Name \(= value\)/],
    ['= nginx', 1, 'a field or the name of a package', '"="', /Name \(= value\)/],
    ['Name (!= nginx)', 7, 'an operator or a value', '"!"', /!Name/],
    ['Name (= )', 9, 'a value', '")"', /quotes/],
    ['Name ()', 7, 'an operator or a value', '")"', /quotes/],
    ['Name (= two words)', 13, '")"', '"words"', /quotes/],
    ['Name (= nginx', 14, '")"', 'the end', /quotes/],
    ['nginx)', 6, '",", "|" or the end', '")"', /quotes/],
    ['(nginx', 7, '")"', 'the end', /quotes/],
    ['nginx {}', 8, 'an architecture', '"}"', /quotes/],
    ['nginx {amd64', 13, '"}"', 'the end', /quotes/],
    ['Name ("nginx)', 7, 'text with quotes around it', '"\\"nginx"', /Nothing ends/],
    ['Name (~ a[b)', 9, 'a regular expression', '"a[b"', /Unterminated character class/],
    ['Name (% a[b)', 9, 'a pattern', '"a[b"', /nothing ends the "\["/],
    ['Name (% a\\)', 9, 'a pattern', '"a\\\\"', /nothing ends the "\\"/],
    ['Name (% [z-a])', 9, 'a pattern', '"[z-a]"', /backwards/],
    [
      'nginx, $Name',
      8,
      'one of $Architecture, $PackageType, $Source, $SourceVersion, $Version',
      '"$Name"',
      /./,
    ],
  ])('says where %j goes wrong', (text, position, expected, actual, hint) => {
    expect(() => parsePackageQuery(text)).toThrow(
      expect.toSatisfy(
        (error) =>
          isChantalError(error, 'CONFIG_INVALID') &&
          hint.test(error.hint ?? '') &&
          error.message === `package query: expected ${expected} at character ${position}, found ${actual}` &&
          error.details['position'] === position,
      ),
    )
  })

  it.each(['('.repeat(100_000), '!'.repeat(100_000)])('refuses to nest without end', (text) => {
    expect(() => parsePackageQuery(text)).toThrow(/at most 100 levels/)
  })

  it('reads long queries that do not nest', () => {
    const query = parsePackageQuery(Array.from({ length: 50_000 }, (_, index) => `p${index}`).join(' | '))

    expect(query.matches({ get: (name) => (name === 'Package' ? 'p49999' : null) })).toBe(true)
    expect(query.matches({ get: () => null })).toBe(false)
  })

  it('reads any text in quotes as it is', () => {
    const value = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(value, value, fc.constantFrom('"', "'"), (one, other, quote) => {
        const query = parsePackageQuery(`X (= ${quote}${one.replaceAll(/["'\\]/g, '\\$&')}${quote})`)

        expect(query.matches({ get: () => one })).toBe(true)
        expect(query.matches({ get: () => other })).toBe(one === other)
      }),
    )
  })

  it('fits any text to a pattern of it, and reads any text as a query or says where it is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const glob = text.replaceAll(/[*?[\]\\"]/g, '\\$&')
        const quoted = glob.replaceAll(/["\\]/g, '\\$&')
        expect(parsePackageQuery(`X (% "${quoted}")`).matches({ get: () => text })).toBe(true)
        try {
          parsePackageQuery(text)
        } catch (error) {
          expect(isChantalError(error, 'CONFIG_INVALID')).toBe(true)
        }
      }),
    )
  })
})

describe('docs/package-query.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/package-query.md'), 'utf8')
  const examples = /```text\n([^`]*)```/.exec(page)?.[1]?.trimEnd().split('\n') ?? []
  const terms = [...page.matchAll(/^\| `([^`]+)` \| .*packages?\b/gm)].map(([, term = '']) => term)

  it.each([...examples, ...terms.filter((term) => !term.startsWith('$'))])(
    'has an example that is read: %s',
    (example) => {
      expect(() => parsePackageQuery(example)).not.toThrow()
    },
  )

  it('names every field that is there besides those of an entry', () => {
    const named = [...page.matchAll(/^\| `(\$\w+)` \|/gm)].map(([, name]) => name)

    expect(named.toSorted()).toEqual([...specialFields.keys()])
  })

  it('tells what meets its examples', () => {
    expect(examples).toHaveLength(9)
    expect(found('Priority (<< optional)')).toBe('udeb source')
    expect(found('Priority, Priority (<< optional)')).toBe('')
    expect(found('Installed-Size (> 1000)')).toBe('nginx')
  })
})
