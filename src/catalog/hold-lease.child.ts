import { openCatalog } from './open-catalog.ts'

/** A process of its own for tests: takes a lease, says so, and waits to be killed. */
const place: { kind: string; file?: string; url?: string } = JSON.parse(process.argv[2] ?? '{}')
const catalog = await openCatalog({
  url:
    place.file !== undefined
      ? { kind: 'sqlite', file: place.file }
      : { kind: 'postgresql', url: new URL(place.url ?? ''), password: null },
  now: () => new Date(),
})
await catalog.acquire({
  resource: 'repository:epel9',
  mode: 'exclusive',
  purpose: 'child',
  waitMs: 0,
  signal: new AbortController().signal,
})
process.stdout.write('held\n')
setInterval(() => {}, 1000)
