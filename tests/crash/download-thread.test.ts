import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeLargeRpmRepository } from '../support/large-rpm-repository.ts'
import { openSite } from '../support/site.ts'
import { startUpstream } from '../upstream/upstream.ts'
import { brokenInvariants } from './invariants.ts'

/** So many that a thread of their own downloads them, and few enough that none are recorded before the last. */
const count = 1500
const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

it.each([
  ['SIGKILL', 300],
  ['SIGKILL', 1400],
  ['SIGINT', 300],
  ['SIGINT', 1400],
] as const)(
  'a sync that %s ends after %i requests leaves everything sound, and the next one succeeds',
  async (signal, after) => {
    await using site = await openSite({ repositories: [] })
    const folder = join(site.folder, 'upstream')
    await writeLargeRpmRepository(folder, { count })
    await using upstream = await startUpstream({ folder })
    await site.reopen({ repositories: [{ id: 'large', type: 'rpm', feed: upstream.url }] })

    const sync = spawn(process.execPath, [program, 'repo', 'sync', 'large', '--config', 'config.yaml'], {
      cwd: site.folder,
      stdio: 'ignore',
    })
    const ended = once(sync, 'exit')
    await expect.poll(() => upstream.requests.length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(after)
    sync.kill(signal)
    const end = await ended
    const broken = await brokenInvariants(site)
    const left = await site.context.pool.sweepTemporary({ ms: Number.NEGATIVE_INFINITY })
    const next = await site.sync('large')

    expect(end).toEqual(signal === 'SIGKILL' ? [null, signal] : [130, null])
    expect(broken).toEqual([])
    if (signal === 'SIGINT') expect(left).toBe(0)
    expect(next).toMatchObject({ status: 'synced', packages: count })
    // What a user ends is tidied up: what has arrived is kept.
    expect(next.fetchedFiles < count).toBe(signal === 'SIGINT')
    expect(await brokenInvariants(site)).toEqual([])
  },
)
