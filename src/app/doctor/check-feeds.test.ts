import { describe, expect, it } from 'vitest'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import { TemporaryConfiguration } from '../../config/temporary-configuration.ts'
import { diagnose, inShort, of } from './doctor.test-support.ts'

describe('feeds', () => {
  it('are told apart by how they answer', async () => {
    await using upstream = await startUpstream({ files: { 'list/mirrors': '' } })
    const status = (at: string, code: number) => upstream.behave(at, { kind: 'status', status: code })
    status('forbidden/', 403)
    status('gone/', 404)
    status('login/', 401)
    status('broken/', 503)
    upstream.behave('silent/', { kind: 'silent' })
    upstream.put('list/mirrors', `${upstream.url}gone/\n`)
    const at = (id: string, feed: string, more = '') =>
      `  - { id: ${id}, type: rpm, feed: '${feed}'${more} }\n`
    await using files = await TemporaryConfiguration.of({
      'config.yaml': [
        'storage: { base_path: data }\nrepositories:\n',
        ...['forbidden', 'gone', 'login', 'broken', 'silent'].map((id) => at(id, `${upstream.url}${id}/`)),
        at('off', 'http://127.0.0.1:1/', ', enabled: false'),
        at('nowhere', 'http://127.0.0.1:1/'),
        at('folder', 'file:///nowhere/at/all/'),
        `  - { id: listed, type: rpm, mirrorlist: '${upstream.url}list/mirrors' }\n`,
        '  - { id: ours, type: rpm, mode: hosted }\n',
      ].join(''),
    })
    const { settings } = await files.load()

    const feeds = of(await diagnose(settings, { timeoutMs: 1500 }), 'feeds')

    expect(inShort(feeds.findings)).toEqual([
      'problem login UPSTREAM_REFUSED',
      'problem broken UPSTREAM_UNREACHABLE',
      'problem silent UPSTREAM_UNREACHABLE',
      'problem nowhere UPSTREAM_UNREACHABLE',
      'problem folder UPSTREAM_UNREACHABLE',
    ])
    expect(feeds.summary).toBe('3 of 8 answer')
    expect(feeds.findings.filter(({ hint }) => hint === null)).toEqual([])
    expect(upstream.requestsFor('broken/')).toHaveLength(1)
  })

  it('of the repositories that are named alone are asked', async () => {
    await using upstream = await startUpstream()
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `repositories: [{ id: a, type: rpm, feed: '${upstream.url}a/' }, { id: b, type: rpm, feed: '${upstream.url}b/' }]`,
    })
    const { settings } = await files.load()

    await diagnose(settings, { ids: ['b'] })

    expect(upstream.requests.map((request) => request.path)).toEqual(['b/'])
    await expect(diagnose(settings, { ids: ['c'] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('tell when our clock is wrong', async () => {
    await using upstream = await startUpstream()
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `repositories: [{ id: a, type: rpm, feed: '${upstream.url}' }]`,
    })
    const { settings } = await files.load()

    const clocks = of(await diagnose(settings, { now: new Date(Date.now() + 3 * 3_600_000) }), 'clocks')

    expect(clocks.findings).toMatchObject([
      { severity: 'warning', code: 'UPSTREAM_STALE', message: expect.stringContaining('3 h ahead of') },
    ])
    expect(of(await diagnose(settings), 'clocks').findings).toEqual([])
  })
})
