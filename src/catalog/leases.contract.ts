import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Catalog } from './catalog.ts'
import type { LeaseRequest, LeaseTerms } from './lease.ts'
import { type HostFacts, readHostFacts } from './leases/host.ts'
import type { CatalogLocation } from './open-catalog.ts'

export interface LeaseContract {
  catalogOf(): Catalog
  /** The same catalog, as another process or host opens it. */
  open(options?: { leaseTerms?: LeaseTerms; host?: HostFacts }): Promise<Catalog>
  locationOf(): CatalogLocation
}

/** Who may work on what, among processes and hosts. */
export function describeLeases({ catalogOf, open, locationOf }: LeaseContract): void {
  describe('leases', () => {
    const request = (changes: Partial<LeaseRequest> = {}): LeaseRequest => ({
      resource: 'repository:epel9',
      mode: 'exclusive',
      purpose: 'sync epel9',
      waitMs: 0,
      signal: new AbortController().signal,
      ...changes,
    })
    const leases = () => catalogOf().leases()

    it('exclude others, naming the holder', async () => {
      await using _held = await catalogOf().acquire(request())
      const other = await open()

      await expect(other.acquire(request())).rejects.toMatchObject({
        code: 'LEASE_HELD',
        details: { purpose: 'sync epel9', pid: process.pid },
        hint: expect.stringMatching(/^Run the command again when it has finished\./),
      })
      await expect(other.acquire(request({ mode: 'shared' }))).rejects.toMatchObject({ code: 'LEASE_HELD' })
    })

    it('are free once given back', async () => {
      const held = await catalogOf().acquire(request())
      await held[Symbol.asyncDispose]()

      await using again = await catalogOf().acquire(request())

      expect(again.tookOverFrom).toBeNull()
      expect(await leases()).toHaveLength(1)
    })

    it('are shared by those who share', async () => {
      await using _one = await catalogOf().acquire(request({ mode: 'shared' }))
      await using _two = await catalogOf().acquire(request({ mode: 'shared' }))

      expect(await leases()).toHaveLength(2)
    })

    it('are granted to one of many who ask at once', async () => {
      const other = await open()

      const outcomes = await Promise.allSettled(
        [catalogOf(), other, catalogOf(), other].map((one) => one.acquire(request())),
      )

      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    })

    it('come to whoever waits', async () => {
      const held = await catalogOf().acquire(request())
      const waiting = catalogOf().acquire(request({ waitMs: 20_000, purpose: 'wait' }))
      await expect.poll(leases).toHaveLength(2)

      await held[Symbol.asyncDispose]()
      await using granted = await waiting

      expect(granted.signal.aborted).toBe(false)
      expect(await leases()).toMatchObject([{ purpose: 'wait', state: 'held' }])
    })

    it('hold back new sharers while an exclusive request waits', async () => {
      const shared = await catalogOf().acquire(request({ mode: 'shared' }))
      const waiting = catalogOf().acquire(request({ waitMs: 20_000 }))
      await expect.poll(leases).toHaveLength(2)

      const late = catalogOf().acquire(request({ mode: 'shared' }))
      await expect(late).rejects.toMatchObject({ code: 'LEASE_HELD' })

      await shared[Symbol.asyncDispose]()
      const granted = await waiting
      await granted[Symbol.asyncDispose]()
    })

    it('leave the queue when the request is aborted', async () => {
      await using _held = await catalogOf().acquire(request())
      const abort = new AbortController()
      const waiting = catalogOf().acquire(request({ waitMs: 20_000, signal: abort.signal }))
      await expect.poll(leases).toHaveLength(2)

      abort.abort(new Error('enough'))

      await expect(waiting).rejects.toThrow('enough')
      expect(await leases()).toHaveLength(1)
    })

    it('abort their work with the request', async () => {
      const abort = new AbortController()
      await using held = await catalogOf().acquire(request({ signal: abort.signal }))

      abort.abort()

      expect(held.signal.aborted).toBe(true)
    })

    it('are renewed while they are held', async () => {
      const short = await open({ leaseTerms: { ttlMs: 1200, renewEveryMs: 100 } })
      await using held = await short.acquire(request())
      const [before] = await leases()

      await sleep(1500)

      const [after] = await leases()
      expect(held.signal.aborted).toBe(false)
      expect(after?.expiresAt.getTime()).toBeGreaterThan(before?.expiresAt.getTime() ?? 0)
    })

    it('of the dead can be ended, whatever they are for, and those of the living stay', async () => {
      const dead = await open({ host: { ...readHostFacts(), processStart: '1' } })
      await dead.acquire(request({ purpose: 'died' }))
      await using _living = await catalogOf().acquire(request({ resource: 'shelf:epel9', purpose: 'live' }))

      const living = (await leases()).filter(({ health }) => health === 'alive')
      const early = await catalogOf().dropDeadLeases(new Date(Date.now() - 3_600_000))
      const ended = await catalogOf().dropDeadLeases(new Date(Date.now() + 3_600_000))

      expect(living).toMatchObject([{ purpose: 'live' }])
      expect(early).toEqual([])
      expect(ended).toMatchObject([{ resource: 'repository:epel9', purpose: 'died' }])
      expect(await leases()).toMatchObject([{ purpose: 'live' }])
    })

    it('say when they are lost, before another can have them', async () => {
      const elsewhere = { ...readHostFacts(), host: 'elsewhere' }
      const other = await open({ host: elsewhere })
      // A sixth of it is what this process may be held up by, here by whatever else runs on the machine.
      const short = await open({ leaseTerms: { ttlMs: 2400, renewEveryMs: 100_000 } })
      const held = await short.acquire(request())

      await using taken = await other.acquire(request({ waitMs: 20_000 }))

      expect(held.signal.aborted).toBe(true)
      expect(held.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
      expect(taken.signal.aborted).toBe(false)
    })

    it('are asked for before what cannot be taken back, and are never mistaken for another that came after', async () => {
      const short = await open({ host: { ...readHostFacts(), processStart: '1' } })
      const held = await short.acquire(request())
      await held.assertHeld()

      await using taken = await catalogOf().acquire(request())

      await expect(held.assertHeld()).rejects.toMatchObject({ code: 'LEASE_LOST' })
      expect(held.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
      await held[Symbol.asyncDispose]()
      await taken.assertHeld()
    })

    it.each([
      ['another process that has its id by now', { processStart: '1' }],
      ['an earlier boot of this machine', { boot: 'earlier' }],
    ])('replace at once a holder that was %s', async (_, facts) => {
      const self = { ...readHostFacts(), machine: 'known' }
      const dead = await open({ host: { ...self, ...facts } })
      await dead.acquire(request({ purpose: 'died' }))
      const living = await open({ host: self })

      await using taken = await living.acquire(request())

      expect(taken.tookOverFrom).toMatchObject({ purpose: 'died' })
    })

    it.each([
      ['on another host', { host: 'elsewhere', processStart: '1' }],
      ['in another container', { namespace: 'pid:[1]', processStart: '1' }],
      ['on a machine of the same name', { machine: 'other', boot: 'other' }],
    ])('wait for a holder %s, which may be alive', async (_, facts) => {
      const holder = await open({ host: { ...readHostFacts(), ...facts } })
      await using _held = await holder.acquire(request())

      await expect(catalogOf().acquire(request())).rejects.toMatchObject({ code: 'LEASE_HELD' })
    })

    it('pass on from a process that was killed', async () => {
      const url = locationOf()
      const place = url.kind === 'sqlite' ? url : { kind: url.kind, url: url.url.href }
      const child = spawn(
        process.execPath,
        [new URL('./hold-lease.child.ts', import.meta.url).pathname, JSON.stringify(place)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const [said] = await once(child.stdout, 'data')
      expect(String(said)).toContain('held')
      child.kill('SIGKILL')
      await once(child, 'exit')

      await using taken = await catalogOf().acquire(request())

      expect(taken.tookOverFrom).toMatchObject({ pid: child.pid, purpose: 'child' })
    })
  })
}
