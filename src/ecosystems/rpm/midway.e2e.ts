import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DnfClient } from '../../../tests/clients/dnf.ts'
import { type Nginx, type NginxRequest, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import {
  type DemoVersion,
  demoFiles,
  demoKey,
  showDemo,
  startDemoUpstream,
} from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import { publishSource } from '../../app/publish/publish-source.ts'

const modes = ['mirror', 'filtered'] as const
const states = ['v1', 'v2'] as const
const signal = new AbortController().signal

/** dnf's own default: a command takes the metadata that it has. */
const twoDays = 2 * 24 * 60 * 60

/** The package of which each state has a version that the other lacks. */
const server = 'demo-server'
const serverDigests = new Map(
  states.flatMap((state) =>
    Object.entries(demoFiles(state))
      .filter(([file]) => file.startsWith(`Packages/${server}-`))
      .map(([file, bytes]) => [basename(file), sha256(bytes)] as const),
  ),
)

/**
 * Clients of a path that switches all the time, under the default `keep_generations` and `grace`, with all signatures checked: no command
 * fails, no request does. What no publisher can prevent is in the last test: the index and its detached signature are two requests for fixed
 * names, and a switch between them gives a client files of two generations. dnf 4 asks for both once more by itself, so that it takes two such
 * switches in a row to make it fail: where the server's log shows these, a race has dnf try again. See “Clients midway” in
 * docs/guide/publishing.md.
 */
describeWith(['nginx', 'setpriv', 'dnf', 'rpm'], 'dnf while its path is published to', () => {
  let site: Site
  let upstream: Upstream
  let nginx: Nginx
  const latest = (mode: string) => `repositories/${mode}/latest`
  const production = (mode: string) => `repositories/${mode}/snapshots/production`
  /** Metadata of a generated tree is signed by us, packages always by their maker. */
  const keyFor = (mode: string) => join(site.folder, mode === 'mirror' ? 'demo.asc' : 'both.asc')
  const publishAsProduction = (mode: string, state: DemoVersion) =>
    publishSource(site.context, { source: `${mode}@${state}`, as: 'production', force: false }, signal)

  beforeAll(async () => {
    const { privateKey, publicKey } = await signingKey()
    upstream = await startDemoUpstream()
    const base = { type: 'rpm', feed: upstream.url.href, verify: { keys: ['demo.asc'] } }
    site = await openSite({
      repositories: modes.map((mode) => ({ ...base, id: mode, mode })),
      sections: { signing: { key_file: 'key.asc' } },
      files: { 'key.asc': privateKey, 'demo.asc': demoKey, 'both.asc': `${publicKey}\n${demoKey}` },
    })
    for (const state of states) {
      showDemo(upstream, state)
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
      const key = keyFor(mode)
      let state: DemoVersion = 'v2'

      const seen = await race({
        nginx,
        clients: [
          { baseurl: `${nginx.url}/${production(mode)}`, key, metadataExpire: twoDays },
          { baseurl: `${nginx.url}/${latest(mode)}`, key, metadataExpire: 0 },
        ],
        durationMs: 30_000,
        switchOver: async () => {
          state = state === 'v1' ? 'v2' : 'v1'
          showDemo(upstream, state)
          await site.sync(mode)
          const results = [await site.publish(mode), await publishAsProduction(mode, state)]
          return results.filter(({ unchanged }) => !unchanged).length
        },
      })

      expectWholeStates(seen)
      expect(seen.turns).toBeGreaterThanOrEqual(6)
      expect(seen.switches).toBeGreaterThanOrEqual(12)
    },
  )

  it('gets whole states from a path that is rolled back again and again', async () => {
    const key = keyFor('filtered')
    const baseurl = `${nginx.url}/${latest('filtered')}`

    const seen = await race({
      nginx,
      clients: [
        { baseurl, key, metadataExpire: twoDays },
        { baseurl, key, metadataExpire: 0 },
      ],
      durationMs: 8000,
      switchOver: async () => {
        // The generation before is always that of the other state.
        const { unchanged } = await site.rollBack(latest('filtered'))
        return unchanged ? 0 : 1
      },
    })

    expectWholeStates(seen)
    expect(seen.turns).toBeGreaterThanOrEqual(2)
    expect(seen.switches).toBeGreaterThanOrEqual(4)
  })

  it.each(modes)(
    'gets a whole state where a switch comes before each request but that of the signature: %s',
    async (mode) => {
      await using gate = await startGate(nginx, async (path) => {
        if (!path.endsWith('/repomd.xml.asc')) await site.rollBack(latest(mode))
      })
      await using dnf = await DnfClient.create({
        baseurl: `${gate.url}/${latest(mode)}`,
        key: keyFor(mode),
        metadataExpire: twoDays,
      })
      const asked = (await nginx.requests()).length

      for (let turn = 0; turn < 2; turn++) {
        await dnf.clean()
        await dnf.makecache()
        await downloadServer(dnf)
      }

      const requests = (await nginx.requests()).slice(asked)
      expect(requests.filter(({ status }) => status !== 200)).toEqual([])
      expect(new Set(requests.map(({ lastModified }) => lastModified)).size).toBeGreaterThan(4)
    },
  )

  it.each(modes)(
    'survives a switch between index and signature, and refuses what is never of one generation: %s',
    async (mode) => {
      let due = 0
      await using gate = await startGate(nginx, async (path) => {
        if (due === 0 || !path.endsWith('/repomd.xml.asc')) return
        due -= 1
        await site.rollBack(latest(mode))
      })
      await using dnf = await DnfClient.create({ baseurl: `${gate.url}/${latest(mode)}`, key: keyFor(mode) })
      await dnf.makecache()
      await dnf.clean()
      const asked = (await nginx.requests()).length

      due = 1
      await dnf.makecache()
      await dnf.clean()
      due = Number.POSITIVE_INFINITY
      await expect(dnf.makecache()).rejects.toThrow('Bad GPG signature')
      const requests = (await nginx.requests()).slice(asked)
      due = 0
      await dnf.makecache()

      // One attempt of the first command, both of the second.
      expect(crossedPairs(requests)).toBe(3)
      await downloadServer(dnf)
    },
  )
})

interface Race {
  readonly nginx: Nginx
  /** They work by turns. */
  readonly clients: readonly Parameters<typeof DnfClient.create>[0][]
  /** Longer, up to four times, until all clients had three turns and both states were seen. */
  readonly durationMs: number
  /** Runs over and over. @returns how many paths it switched */
  readonly switchOver: () => Promise<number>
}

interface Seen {
  /** Of clean, makecache and download. */
  readonly turns: number
  readonly switches: number
  /** How often two switches in a row came between index and signature. */
  readonly crossed: number
  /** File names of what was downloaded. */
  readonly packages: ReadonlySet<string>
  readonly requests: readonly NginxRequest[]
}

async function race({ nginx, clients, durationMs, switchOver }: Race): Promise<Seen> {
  const asked = (await nginx.requests()).length
  const startedAt = Date.now()
  const ending = new AbortController()
  let switches = 0
  let turns = 0
  let crossed = 0
  const packages = new Set<string>()
  const isOver = () => {
    const elapsed = Date.now() - startedAt
    const isEnough = turns >= 3 * clients.length && packages.size === 2
    return elapsed > 4 * durationMs || (elapsed > durationMs && isEnough)
  }
  const switching = (async () => {
    while (!ending.signal.aborted) {
      switches += await switchOver()
      await nextTurn()
    }
  })()
  const makecache = async (dnf: DnfClient) => {
    const { length } = await nginx.requests()
    try {
      await dnf.makecache()
    } catch (error) {
      if (crossedPairs((await nginx.requests()).slice(length)) < 2) throw error
      crossed += 1
      await dnf.makecache()
    }
  }
  await using resources = new AsyncDisposableStack()
  try {
    const open = await Promise.all(clients.map((options) => DnfClient.create(options)))
    for (const client of open) resources.use(client)
    while (!isOver()) {
      for (const dnf of open) {
        await dnf.clean()
        await makecache(dnf)
        packages.add(await downloadServer(dnf))
        turns += 1
      }
    }
  } finally {
    ending.abort()
    await switching
  }
  return { turns, switches, crossed, packages, requests: (await nginx.requests()).slice(asked) }
}

function expectWholeStates({ packages, requests, crossed }: Seen): void {
  expect(crossed).toBeLessThan(3)
  expect(packages).toEqual(new Set(serverDigests.keys()))
  expect(requests.filter(({ status }) => status !== 200)).toEqual([])
}

/** Has dnf fetch the package anew, whichever version its metadata has. @returns the file's name */
async function downloadServer(dnf: DnfClient): Promise<string> {
  const [file = '', ...others] = await dnf.download(server)
  expect(others).toEqual([])
  const bytes = await readFile(file)
  await rm(file)
  expect(sha256(bytes)).toBe(serverDigests.get(basename(file)))
  return basename(file)
}

/** How often an index was followed by the signature of another generation: all files that one writes have its time. */
function crossedPairs(requests: readonly NginxRequest[]): number {
  return requests.filter(({ path, lastModified }, position) => {
    const next = requests[position + 1]
    return next?.path === `${path}.asc` && next.lastModified !== lastModified
  }).length
}

/** Passes all on to nginx, each request after `before` is done with its path. */
async function startGate(nginx: Nginx, before: (path: string) => Promise<void>) {
  const gate = createServer((request, response) => {
    const path = request.url ?? '/'
    before(path)
      .then(() => fetch(`${nginx.url}${path}`))
      .then(async (answer) => response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer())))
      .catch((error: Error) => response.destroy(error))
  }).listen(0, '127.0.0.1')
  await once(gate, 'listening')
  const address = gate.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      gate.closeAllConnections()
      gate.close()
    },
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
