import { describe, expect, it } from 'vitest'
import { parseSourcesStanza } from './sources-stanza.ts'

const md5 = '0'.repeat(32)
const sha1 = '1'.repeat(40)
const sha256 = '2'.repeat(64)

const parse = (text: string) => parseSourcesStanza(Buffer.from(text), 'main/source/Sources')

const nginx = `Package: nginx
Binary: nginx, nginx-core,
 libnginx-mod
Version: 1.22.1-9
Architecture: any all
Format: 3.0 (quilt)
Files:
 ${md5} 3 nginx_1.22.1.orig.tar.gz
 ${md5} 2 nginx_1.22.1-9.dsc
Checksums-Sha256:
 ${sha256} 2 nginx_1.22.1-9.dsc
 ${sha256} 3 nginx_1.22.1.orig.tar.gz
Directory: pool/main/n/nginx
Priority: optional
Section: httpd
`

describe('parseSourcesStanza', () => {
  it('reads what it says, the .dsc first', () => {
    const checksums = [
      { algorithm: 'md5', hex: md5 },
      { algorithm: 'sha256', hex: sha256 },
    ]

    expect(parse(nginx)).toEqual({
      name: 'nginx',
      version: '1.22.1-9',
      directory: 'pool/main/n/nginx',
      files: [
        { name: 'nginx_1.22.1-9.dsc', size: 2, checksums },
        { name: 'nginx_1.22.1.orig.tar.gz', size: 3, checksums },
      ],
      binaries: ['nginx', 'nginx-core', 'libnginx-mod'],
      architectures: ['any', 'all'],
      section: 'httpd',
      priority: 'optional',
      format: '3.0 (quilt)',
      isExtraSourceOnly: false,
    })
  })

  it('makes do with what a source package must have, in a section of any algorithm', () => {
    expect(
      parse(`Package: a\nVersion: 1\nExtra-Source-Only: yes\nChecksums-Sha1: ${sha1} 2 a.dsc\n`),
    ).toEqual({
      name: 'a',
      version: '1',
      directory: '',
      files: [{ name: 'a.dsc', size: 2, checksums: [{ algorithm: 'sha1', hex: sha1 }] }],
      binaries: [],
      architectures: [],
      section: null,
      priority: null,
      format: null,
      isExtraSourceOnly: true,
    })
  })

  it.each([
    ['no name', nginx.replace('Package: nginx\n', ''), 'package without a name has no Package'],
    ['no version', nginx.replace(/^Version.*\n/m, ''), 'package "nginx" has no Version'],
    ['no .dsc', nginx.replaceAll('.dsc', '.txt'), 'package "nginx" has no .dsc file'],
    ['a version with a slash', nginx.replace('1.22.1-9\n', '../9\n'), 'an unusable Version'],
    ['a long version', nginx.replace('1.22.1-9\n', `${'1'.repeat(256)}\n`), 'a Version of 256 characters'],
    [
      'two sizes',
      nginx.replace(`${sha256} 2 `, `${sha256} 9 `),
      'package "nginx": "nginx_1.22.1-9.dsc" has two sizes',
    ],
    ['a line of two words', nginx.replace(' 2 nginx', ' nginx'), 'package "nginx": a line is not'],
    ['another package below', `${nginx} \nPackage: evil\n`, 'package "nginx" has Package twice'],
  ])('refuses %s', (_, text, message) =>
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        code: 'UPSTREAM_INVALID',
        message: expect.stringContaining(message),
      }),
    ),
  )

  it.each(['../x', '/etc/passwd', 'a/b', '..', 'a\\b'])('refuses the file %j', (name) =>
    expect(() => parse(`${nginx}Checksums-Sha1:\n ${sha1} 1 ${name}\n`)).toThrow(
      expect.objectContaining({ code: 'PATH_UNSAFE' }),
    ),
  )
})
