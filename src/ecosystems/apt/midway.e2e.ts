import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AptClient, type AptSource } from '../../../tests/clients/apt.ts'
import { type Nginx, type NginxRequest, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import {
  type AptState,
  type AptUpstream,
  aptFiles,
  aptKeyFile,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
import { startGate } from '../../../tests/upstream/gate.ts'
import { publishSource } from '../../app/publish/publish-source.ts'

const modes = ['mirror', 'filtered'] as const
const states = ['v1', 'v2'] as const
const signal = new AbortController().signal

/** The newest version of the package of which each state has one that the other lacks. */
const files: Readonly<Record<AptState, string>> = {
  v1: 'pool/main/g/greeter/greeter_1.0-1_amd64.deb',
  v2: 'pool/main/g/greeter/greeter_1.1-1_amd64.deb',
}
const digests = new Map(
  states.map((state) => [basename(files[state]), sha256(aptFiles(state)[files[state]])]),
)

/**
 * Clients of a path that switches all the time, under the default `keep_generations` and `grace`, with all checks on: no command fails, no
 * request does. InRelease is one file, and what it lists is asked for by checksum, so there is nothing that a switch could tear.
 *
 * A path switches once a second at most: each publication is a second later than the one before, by its own word, and apt refuses what says
 * that it is of more than ten seconds from now.
 */
describeWith(
  ['apt-get', 'apt-file', 'dpkg', 'nginx', 'setpriv'],
  'apt while its path is published to',
  () => {
    let site: Site
    let upstream: AptUpstream
    let nginx: Nginx
    /** Each state that upstream shows is later than the one before. */
    let date = Date.UTC(2026, 0, 5)
    const latest = (mode: string) => `repositories/${mode}/latest`
    const production = (mode: string) => `repositories/${mode}/snapshots/production`
    const source = (path: string, url = nginx.url): AptSource => ({
      uri: `${url}/${path}`,
      suites: ['stable'],
      components: ['main'],
      signedBy: path.includes('/mirror/') ? aptKeyFile('archive') : join(site.folder, 'public.asc'),
    })
    const show = async (state: AptState) => {
      date += 1000
      const release = (text: string) => text.replace(/^Date: .*/m, `Date: ${new Date(date).toUTCString()}`)
      upstream.show(await changeApt(aptFiles(state), { release }))
    }
    const publishAsProduction = (mode: string, state: AptState) =>
      publishSource(site.context, { source: `${mode}@${state}`, as: 'production', force: false }, signal)

    beforeAll(async () => {
      const { privateKey, publicKey } = await signingKey()
      upstream = await startAptUpstream()
      const verify = { keys: [aptKeyFile('archive')] }
      const base = { type: 'apt', feed: upstream.url.href, verify }
      site = await openSite({
        repositories: modes.map((mode) => ({
          ...base,
          id: mode,
          mode,
          apt: { suites: ['stable'], diffs: mode === 'mirror' },
        })),
        sections: { signing: { key_file: 'key.asc' } },
        files: { 'key.asc': privateKey, 'public.asc': publicKey },
      })
      for (const state of states) {
        await show(state)
        for (const mode of modes) {
          await site.sync(mode)
          await site.snapshot(`${mode}@${state}`)
          await site.publish(mode)
          await publishAsProduction(mode, state)
        }
      }
      nginx = await startNginx(site.published('.'))
    })
    afterAll(async () => {
      await nginx.stop()
      await upstream[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    })

    it.each(modes)(
      'gets whole states from a path that moves between snapshots, and from the latest: %s',
      async (mode) => {
        let state: AptState = 'v2'

        const seen = await race({
          nginx,
          sources: [source(production(mode)), source(latest(mode))],
          durationMs: 8000,
          switchOver: async () => {
            state = state === 'v1' ? 'v2' : 'v1'
            await show(state)
            await site.sync(mode)
            const results = [await site.publish(mode), await publishAsProduction(mode, state)]
            return results.filter(({ unchanged }) => !unchanged).length
          },
        })

        expectWholeStates(seen)
        expect(seen.turns).toBeGreaterThanOrEqual(6)
        expect(seen.switches).toBeGreaterThanOrEqual(6)
      },
    )

    it('gets whole states from a path that is rolled back again and again', async () => {
      const seen = await race({
        nginx,
        sources: [source(latest('filtered'))],
        durationMs: 4000,
        // The generation before is always that of the other state.
        switchOver: async () => ((await site.rollBack(latest('filtered'))).unchanged ? 0 : 1),
      })

      expectWholeStates(seen)
      expect(seen.switches).toBeGreaterThanOrEqual(6)
    })

    it.each(modes)('gets a whole state where a switch comes before each request: %s', async (mode) => {
      let switched = 0
      let isDue = true
      await using gate = await startGate(nginx.url, async () => {
        if (!isDue) return
        if (mode === 'filtered') await sleep(1000)
        await site.rollBack(latest(mode))
        switched += 1
      })
      await using apt = await AptClient.create({
        sources: [source(latest(mode), gate.url)],
        everything: true,
      })
      const asked = (await nginx.requests()).length

      await apt.update()
      const file = await downloadGreeter(apt)
      isDue = false

      const requests = (await nginx.requests()).slice(asked)
      expect(digests.has(file)).toBe(true)
      expect(requests.filter(({ status }) => status >= 400)).toEqual([])
      expect(switched).toBeGreaterThan(5)
    })
  },
)

interface Race {
  readonly nginx: Nginx
  /** Of the clients, one each. They work by turns. */
  readonly sources: readonly AptSource[]
  /** Longer, up to four times, until all clients had three turns, and six switches and both states were seen. */
  readonly durationMs: number
  /** Runs over and over, once a second at most. @returns how many paths it switched */
  readonly switchOver: () => Promise<number>
}

interface Seen {
  /** Of clean, update and download. */
  readonly turns: number
  readonly switches: number
  /** File names of what was downloaded. */
  readonly packages: ReadonlySet<string>
  readonly requests: readonly NginxRequest[]
}

async function race({ nginx, sources, durationMs, switchOver }: Race): Promise<Seen> {
  const asked = (await nginx.requests()).length
  const startedAt = Date.now()
  const ending = new AbortController()
  let switches = 0
  let turns = 0
  const packages = new Set<string>()
  const isOver = () => {
    const elapsed = Date.now() - startedAt
    const isEnough = turns >= 3 * sources.length && switches >= 6 && packages.size === 2
    return elapsed > 4 * durationMs || (elapsed > durationMs && isEnough)
  }
  const switching = (async () => {
    while (!ending.signal.aborted) {
      const [count] = await Promise.all([switchOver(), sleep(1000)])
      switches += count
    }
  })()
  await using resources = new AsyncDisposableStack()
  try {
    const clients = await Promise.all(sources.map((source) => AptClient.create({ sources: [source] })))
    for (const client of clients) resources.use(client)
    while (!isOver()) {
      for (const apt of clients) {
        // One turn in two begins with what the client has, as hosts do.
        if (turns % 4 < 2) await apt.clean()
        await apt.update()
        packages.add(await downloadGreeter(apt))
        turns += 1
      }
    }
  } finally {
    ending.abort()
    await switching
  }
  return { turns, switches, packages, requests: (await nginx.requests()).slice(asked) }
}

function expectWholeStates({ packages, requests }: Seen): void {
  expect(packages).toEqual(new Set(digests.keys()))
  expect(requests.filter(({ status }) => status >= 400)).toEqual([])
}

/** Has apt fetch the package anew, whichever version its indexes have. @returns the file's name */
async function downloadGreeter(apt: AptClient): Promise<string> {
  const [file = '', ...others] = await apt.download('greeter')
  expect(others).toEqual([])
  expect(sha256(await readFile(file))).toBe(digests.get(basename(file)))
  return basename(file)
}

function sha256(bytes: Uint8Array | undefined): string {
  if (!bytes) throw new Error('no such file')
  return createHash('sha256').update(bytes).digest('hex')
}
