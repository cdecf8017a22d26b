import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { PackageOutline, StoredFile } from '../core/model.ts'
import {
  all,
  collect,
  digestOf,
  type epel,
  fileOf,
  keyOf,
  packageOf,
  saveBlobs,
  saveEpel,
} from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'
import type { OpenRevision } from './catalog-writer.ts'

type Step =
  | { readonly do: 'put'; readonly name: string; readonly blob: number }
  | { readonly do: 'remove'; readonly name: string }
  | { readonly do: 'files'; readonly blobs: readonly number[] }
  | { readonly do: 'seal' }
  | { readonly do: 'discard' }
  | { readonly do: 'prune' }
  | { readonly do: 'snapshot' }

/** A revision as the naive model has it: everything, copied. Values are blobs. */
interface Content {
  readonly packages: Map<string, number>
  readonly files: Map<string, number>
}

interface ModelRevision extends Content {
  readonly number: number
  readonly sealedAt: number
  isPruned: boolean
  isNamed: boolean
}

const names = ['a', 'b', 'c', 'd']
const blobs = [1, 2, 3, 4, 5, 6]
const blob = fc.constantFrom(...blobs)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.constantFrom(...names), blob }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom(...names) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('files' as const), blobs: fc.array(blob, { maxLength: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'seal' as const,
        'seal' as const,
        'discard' as const,
        'prune' as const,
        'snapshot' as const,
      ),
    }),
  },
)

/** Interval rows against revisions that are copied whole. */
export function describeRevisionModel(catalogOf: () => Catalog): void {
  it('keeps the same revisions as a model that copies each one', { timeout: 120_000 }, async () => {
    const catalog = catalogOf()
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        runs += 1
        await new Comparison(catalog, `run-${runs}` as typeof epel).run(steps)
      }),
      { numRuns: 25 },
    )
  })
}

class Comparison {
  readonly #catalog: Catalog
  readonly #repository: typeof epel
  readonly #revisions: ModelRevision[] = []
  #content: Content = { packages: new Map(), files: new Map() }
  #open: OpenRevision | null = null
  #clock = 1000

  constructor(catalog: Catalog, repository: typeof epel) {
    this.#catalog = catalog
    this.#repository = repository
  }

  async run(steps: readonly Step[]): Promise<void> {
    await saveEpel(this.#catalog)
    await this.#catalog.write((writer) =>
      writer.saveRepository({ id: this.#repository, ecosystem: 'rpm' as never, mode: 'hosted' }),
    )
    await saveBlobs(this.#catalog, blobs)
    for (const one of steps) {
      await this.#apply(one)
      this.#clock += 1
    }
    await this.#compare()
    const flaws = await all(this.#catalog, (reader) => reader.flaws(new Map()))
    expect(flaws).toEqual([])
    // Leaves nothing to the next run, which sees the same blobs.
    await this.#close('discard')
    await this.#catalog.write(async (writer) => {
      for (const { name } of await writer.snapshots(this.#repository))
        await writer.deleteSnapshot(this.#repository, name)
      const open = await writer.openRevision(this.#repository)
      const names = [...(this.#revisions.at(-1)?.packages.keys() ?? [])]
      await writer.removePackages(open, names.map(keyOf))
      await writer.setFiles(open, [])
      await writer.sealRevision(open, new Date(this.#clock), null)
      await writer.pruneRevisions(new Date(this.#clock + 1))
    })
    expect(await all(this.#catalog, (reader) => reader.reachableBlobs())).toEqual([])
  }

  async #apply(one: Step): Promise<void> {
    if (one.do === 'seal' || one.do === 'discard') return this.#close(one.do)
    if (one.do === 'prune') return this.#prune()
    if (one.do === 'snapshot') return this.#name()
    const open = this.#open ?? (await this.#catalog.write((writer) => writer.openRevision(this.#repository)))
    this.#open = open
    await this.#catalog.write(async (writer) => {
      if (one.do === 'files') {
        const files = new Map(one.blobs.map((number, index) => [`f${index}`, number]))
        this.#content = { ...this.#content, files }
        await writer.setFiles(
          open,
          [...files].map(([path, number]) => fileOf(path, number)),
        )
        return
      }
      const packages = new Map(this.#content.packages)
      await writer.removePackages(open, [keyOf(one.name)])
      packages.delete(one.name)
      if (one.do === 'put') {
        await writer.addPackages(open, [packageOf(one.name, [one.blob], `${one.name}:${one.blob}`)])
        const bytes = Buffer.from(`${one.blob}`)
        await writer.addRecords(open, [{ key: keyOf(one.name), part: 'primary', bytes }])
        packages.set(one.name, one.blob)
      }
      this.#content = { ...this.#content, packages }
    })
  }

  async #close(how: 'seal' | 'discard'): Promise<void> {
    const open = this.#open
    if (!open) return
    this.#open = null
    if (how === 'seal') {
      await this.#catalog.write((writer) => writer.sealRevision(open, new Date(this.#clock), this.#clock))
      const { number } = open
      this.#revisions.push({
        ...this.#content,
        number,
        sealedAt: this.#clock,
        isPruned: false,
        isNamed: false,
      })
    } else {
      await this.#catalog.write((writer) => writer.discardRevision(open))
      this.#content = this.#revisions.at(-1) ?? { packages: new Map(), files: new Map() }
    }
  }

  async #prune(): Promise<void> {
    const before = this.#clock - 5
    let expected = 0
    for (const [index, revision] of this.#revisions.entries()) {
      const next = this.#revisions[index + 1]
      if (!next || next.sealedAt >= before || revision.isNamed || revision.isPruned) continue
      revision.isPruned = true
      expected += 1
    }
    const planned = await this.#catalog.read((reader) => reader.prunableRevisions(new Date(before)))
    let pruned = 0
    for (let isDone = false; !isDone; ) {
      const step = await this.#catalog.write((writer) => writer.pruneRevisions(new Date(before), 1))
      pruned += step.revisions
      isDone = step.isDone
    }
    expect([planned, pruned]).toEqual([expected, expected])
  }

  async #name(): Promise<void> {
    const kept = this.#revisions.filter(({ isPruned, isNamed }) => !isPruned && !isNamed)
    const revision = kept[this.#clock % Math.max(1, kept.length)]
    if (!revision) return
    revision.isNamed = true
    await this.#catalog.write((writer) =>
      writer.createSnapshot({
        repository: this.#repository,
        name: `s${revision.number}`,
        revision: revision.number,
        createdAt: new Date(this.#clock),
        description: null,
        labels: {},
        createdBy: null,
        isPinned: false,
      }),
    )
  }

  async #compare(): Promise<void> {
    const kept = this.#revisions.filter(({ isPruned }) => !isPruned)
    await this.#catalog.read(async (reader) => {
      const revisions = await reader.revisions(this.#repository)
      expect(revisions.map(({ number }) => number)).toEqual(kept.map(({ number }) => number))
      for (const [index, revision] of revisions.entries()) {
        const model = known(kept[index])
        const packages = await collect(reader.packages(revision))
        expect(packages.map(({ key, identity }) => [key, identity])).toEqual(
          sorted(model.packages).map(([name, number]) => [name, `${name}:${number}`]),
        )
        const outlines = (await collect(reader.outlines(revision))).flat()
        expect(outlines.map(outlineOf)).toEqual(packages.map(outlineOf))
        const files = (await collect(reader.packageFiles(revision))).flat()
        expect(files.map(({ digest }) => digest)).toEqual(
          sorted(model.packages).map(([, number]) => digestOf(number)),
        )
        const records = await collect(reader.records(revision, 'primary'))
        expect(records.map(({ bytes }) => bytes && Buffer.from(bytes).toString())).toEqual(
          sorted(model.packages).map(([, number]) => `${number}`),
        )
        expect((await reader.files(revision)).map(({ path, size }) => [path, size])).toEqual(
          sorted(model.files),
        )
        const used = new Set([...model.packages.values(), ...model.files.values()])
        expect(revision.packageCount).toBe(model.packages.size)
        expect(revision.totalSize).toBe([...used].reduce((sum, number) => sum + number, 0))
        for (const [otherIndex, other] of revisions.entries()) {
          const changes = await collect(reader.diff(revision, other))
          expect(changes.map((change) => describeChange(change))).toEqual(
            modelDiff(model.packages, known(kept[otherIndex]).packages),
          )
          const changed = await reader.changedFiles(revision, other)
          const gone = new Set(changed.gone.map(({ path }) => path))
          const stayed = [...files, ...(await reader.files(revision))].filter(({ path }) => !gone.has(path))
          expect(contentOf([...stayed, ...changed.came])).toEqual(
            contentOf((await collect(reader.packageFiles(other))).flat()),
          )
        }
      }
      const roots: Content[] = [
        ...this.#revisions.slice(-1),
        ...this.#revisions.filter(({ isNamed }) => isNamed),
        ...(this.#open ? [this.#content] : []),
      ]
      const reached = new Set(
        roots.flatMap(({ packages, files }) => [...packages.values(), ...files.values()]),
      )
      const digests = (await collect(reader.reachableBlobs())).map(({ digest }) => digest)
      expect(digests).toEqual([...reached].sort((a, b) => a - b).map(digestOf))
    })
  }
}

function outlineOf(pkg: PackageOutline) {
  const { repository, key, name, version, architecture, attributes, identity, addedIn } = pkg
  return { repository, key, name, version, architecture, attributes, identity, addedIn }
}

/** Paths, each with its bytes. What was removed and added as it was came, and stayed. */
function contentOf(files: readonly StoredFile[]): readonly string[] {
  return [...new Set(files.map(({ path, digest }) => `${path} ${digest}`))].sort()
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the model has fewer revisions')
  return value
}

const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

function describeChange(change: { readonly change: string } & Record<string, unknown>): string {
  const side = (value: unknown) =>
    typeof value === 'object' && value !== null && 'identity' in value ? String(value.identity) : '-'
  return `${side(change['before'])} > ${side(change['after'])}`
}

function modelDiff(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly string[] {
  const side = (map: ReadonlyMap<string, number>, name: string) =>
    map.has(name) ? `${name}:${map.get(name)}` : '-'
  return names
    .map((name) => [side(before, name), side(after, name)] as const)
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => `${a} > ${b}`)
}
