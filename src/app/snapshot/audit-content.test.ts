import { describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite } from '../../../tests/support/site.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { Feed } from '../../download/downloader.ts'
import { auditContent, originOf } from './audit-content.ts'

const signal = new AbortController().signal

describe('the content of a snapshot', () => {
  it('names for each package where it came from, as it was frozen', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    await site.snapshot('demo@before')
    showDemo(upstream, 'v2')
    await site.sync('demo')

    const audited = await auditContent(site.context, { source: 'demo@before' }, signal)

    const legacy = audited.find(({ package: { name } }) => name === 'demo-legacy')
    expect(audited).toHaveLength(6)
    expect(legacy?.package.key).toBe('demo-legacy-0:1.0-1.noarch')
    expect(legacy?.origins).toEqual([`${upstream.url}Packages/demo-legacy-1.0-1.noarch.rpm`])
  })
})

describe('where a file comes from', () => {
  const urls = (...all: readonly [string, ...string[]]): Feed => {
    const [first, ...others] = all
    return { kind: 'urls', urls: [new URL(first), ...others.map((url) => new URL(url))] }
  }
  const path = parseRelativePath('Packages/a b+1.rpm')

  it.each<[string, Feed | null, 'mirror' | 'hosted', string | null]>([
    [
      'at the first of its mirrors',
      urls('https://a.example/r/', 'https://b.example/'),
      'mirror',
      'https://a.example/r/Packages/a%20b%2B1.rpm',
    ],
    [
      'below a feed without a slash at its end',
      urls('https://a.example/r'),
      'mirror',
      'https://a.example/r/Packages/a%20b%2B1.rpm',
    ],
    [
      'without login and token',
      urls('https://me:secret@a.example/?token=secret'),
      'mirror',
      'https://a.example/Packages/a%20b%2B1.rpm?token=***',
    ],
    [
      'from a list of mirrors',
      { kind: 'metalink', url: new URL('https://a.example/metalink') },
      'mirror',
      'https://a.example/metalink',
    ],
    ['nowhere, where it was uploaded', null, 'hosted', null],
  ])('is shown %s', (_, feed, mode, origin) => {
    expect(originOf({ feed, mode }, path)).toBe(origin)
  })
})
