import { describe, expect, it } from 'vitest'
import { parseMirrorlist } from './mirrorlist.ts'
import { mostMirrors } from './mirrors.ts'

describe('a mirrorlist', () => {
  it('gives its web mirrors in order, each once', () => {
    const text = [
      '# repo = updates arch = x86_64',
      '',
      '  http://one.example/fedora/  ',
      'url = https://two.example/fedora',
      'url=https://three.example/fedora/?country=de',
      'ftp://four.example/fedora/',
      'rsync://five.example/fedora/',
      'https://six.example/$basearch/',
      '<html>',
      'http://one.example/fedora/\r',
    ].join('\n')

    expect(parseMirrorlist(text).map(String)).toEqual([
      'http://one.example/fedora/',
      'https://two.example/fedora/',
      'https://three.example/fedora/?country=de',
    ])
  })

  it('is used as far as its first thousand mirrors', () => {
    const lines = Array.from({ length: mostMirrors + 5 }, (_, index) => `http://m${index}.example/`)

    expect(parseMirrorlist(['# all', ...lines].join('\n')).map(String)).toEqual(lines.slice(0, mostMirrors))
  })

  it('shows no login of what it names, even where that is no URL', () => {
    const text = 'https://user:s3cret@[::1]:99999/'

    expect(() => parseMirrorlist(text)).toThrow(
      expect.objectContaining({ details: { begins: 'https://***@[::1]:99999/' } }),
    )
  })

  it.each(['', '# nothing here\n', '<!doctype html><a href="https://x.example/">', 'ftp://only.example/\n'])(
    'is refused without a web mirror: %j',
    (text) => {
      expect(() => parseMirrorlist(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
    },
  )
})
