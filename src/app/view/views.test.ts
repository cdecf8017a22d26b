import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAsClient } from '../../../tests/support/rpm-client.ts'
import { rpmFiles } from '../../../tests/support/rpm-files.ts'
import { openSite, type Site, type SiteOptions, signingKey } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { ViewInput } from '../../ecosystems/ecosystem.ts'
import { listContent } from '../content/find-content.ts'
import type { AppContext } from '../context.ts'
import { exportSource } from '../publish/export-source.ts'
import { listPublications } from '../publish/list-publications.ts'
import { publishSource } from '../publish/publish-source.ts'
import { publishSources } from '../publish/publish-sources.ts'
import { releasePublication, rollBack } from '../publish/roll-back.ts'
import { unpublish } from '../publish/unpublish.ts'
import { auditContent } from '../snapshot/audit-content.ts'
import { copySnapshot, createSnapshot } from '../snapshot/create-snapshot.ts'
import { deleteSnapshot } from '../snapshot/delete-snapshot.ts'
import { diffSources } from '../snapshot/diff-sources.ts'
import { listSnapshots, showSource } from '../snapshot/list-snapshots.ts'
import { pinSnapshot } from '../snapshot/pin-snapshot.ts'
import { listViews, showView } from './list-views.ts'

const signal = new AbortController().signal
const latest = 'views/el/latest'

/** A tree of one file: a line for each package of each member, and who signed. */
async function publishList(input: ViewInput, sink: PublicationSink) {
  const lines: string[] = []
  for (const member of input.members) {
    const records = new Map<string, number>()
    for await (const { key, bytes } of member.records('primary')) records.set(key, bytes?.byteLength ?? 0)
    for await (const { key, files } of member.packages())
      lines.push(`${member.folder}/${files[0].path} ${(records.get(key) ?? 0) > 0 ? 'known' : 'unknown'}`)
  }
  const signer = input.signer?.kind === 'openpgp' ? input.signer.fingerprint : 'nobody'
  await sink.write(parseRelativePath('list'), lines.join('\n'), 'entry')
  await sink.write(parseRelativePath('about'), `${input.view} by ${signer}`, 'plain')
}

/** The site's parts, with RPM's views published as lists. Trees are made anew each time: what a list says of itself is not renewed. */
function contextOf(site: Site): AppContext {
  const ecosystems = new Map(
    [...site.context.ecosystems].map(([id, { renew: _, ...ecosystem }]) => [
      id,
      { ...ecosystem, publishView: publishList },
    ]),
  )
  return { ...site.context, ecosystems }
}

const packages = (...names: readonly string[]) => rpmFiles(names.map((name) => ({ name })))

/** `base` is mirrored, `extra` selected from: both with their own upstream. */
async function openWorld(options: Partial<SiteOptions> = {}) {
  const base = await startUpstream({ files: packages('ash', 'birch') })
  const extra = await startUpstream({ files: packages('yew') })
  const repositories = [
    { id: 'base', type: 'rpm', feed: base.url },
    { id: 'extra', type: 'rpm', feed: extra.url, mode: 'filtered' },
  ]
  const site = await openSite({
    repositories,
    sections: { views: [{ name: 'el', description: 'All of it', repos: ['base', 'extra'] }] },
    ...options,
  })
  return {
    base,
    extra,
    site,
    repositories,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await base[Symbol.asyncDispose]()
      await extra[Symbol.asyncDispose]()
    },
  }
}

async function sync(site: Site, ...ids: readonly string[]) {
  for (const id of ids) await site.sync(id)
}

/** Has an upstream hold these packages and no others. */
function show(upstream: Upstream, ...names: readonly string[]) {
  for (const [path, bytes] of Object.entries(packages(...names))) upstream.put(path, bytes)
}

const publish = (site: Site, source: string, terms: { as?: string; force?: boolean } = {}) =>
  publishSource(contextOf(site), { source, as: terms.as ?? null, force: terms.force ?? false }, signal)

const freeze = (site: Site, source: string, allowPartial = false) =>
  createSnapshot(contextOf(site), { source, description: null, labels: {}, allowPartial }, signal)

const listAt = async (site: Site, path: string) =>
  (await readFile(join(site.published(path), 'list'), 'utf8')).split('\n')

const rpm = (folder: string, name: string) => `${folder}/Packages/${name}-1.0-1.noarch.rpm known`

describe('a view', () => {
  it('is published as one tree of all its members, each under its own folder, with what is known of every package', async () => {
    await using world = await openWorld()
    const { site } = world
    await sync(site, 'base', 'extra')

    const result = await publish(site, 'el')

    expect(result).toMatchObject({ path: latest, sources: ['el'], packages: 3, unchanged: false })
    expect(await listAt(site, latest)).toEqual([
      rpm('base', 'ash'),
      rpm('base', 'birch'),
      rpm('extra', 'yew'),
    ])
    const [row] = await listPublications(site.context, {}, signal)
    expect(row).toMatchObject({ path: latest, sources: ['el'], packages: 3, signedBy: null })
    expect(site.warnings('UNSIGNED_PUBLICATION')).toEqual([
      expect.stringContaining('el is published unsigned'),
    ])
  })

  it('is not published again where nothing changed, and is where any member did', async () => {
    await using world = await openWorld()
    const { site, extra } = world
    await sync(site, 'base', 'extra')
    const first = await publish(site, 'el')

    const again = await publish(site, 'el')
    const forced = await publish(site, 'el', { force: true })
    show(extra, 'yew', 'zelkova')
    await sync(site, 'extra')
    const changed = await publish(site, 'el')

    expect(again).toMatchObject({ generation: first.generation, unchanged: true })
    expect(forced.generation > first.generation).toBe(true)
    expect(changed).toMatchObject({ unchanged: false, packages: 4 })
  })

  it('switches all members at once, back too, and is held then', async () => {
    await using world = await openWorld()
    const { site, base, extra } = world
    await sync(site, 'base', 'extra')
    await publish(site, 'el')
    const before = await listAt(site, latest)
    show(base, 'ash')
    show(extra, 'zelkova')
    await sync(site, 'base', 'extra')
    await publish(site, 'el')
    const after = await listAt(site, latest)

    const back = await rollBack(contextOf(site), { path: latest, generation: null }, signal)

    expect(after).toEqual([rpm('base', 'ash'), rpm('extra', 'zelkova')])
    expect(back).toMatchObject({ path: latest, sources: ['el'], packages: 3 })
    expect(await listAt(site, latest)).toEqual(before)
    await expect(publish(site, 'el')).rejects.toMatchObject({ code: 'PATH_HELD' })
    await releasePublication(site.context, { path: latest }, signal)
    await publish(site, 'el')
    expect(await listAt(site, latest)).toEqual(after)
  })

  it('is signed with its own key, or the shared one', async () => {
    const key = await signingKey()
    const files = { 'key.asc': key.privateKey }
    await using world = await openWorld({ files })
    const { site, repositories } = world
    const views = (signing?: unknown) => [
      { name: 'el', repos: ['base', 'extra'], ...(signing !== undefined && { signing }) },
    ]
    await site.reopen({ sections: { views: views({ key_file: 'key.asc' }) } })
    await sync(site, 'base', 'extra')

    const own = await publish(site, 'el')
    await site.reopen({ repositories, sections: { signing: { key_file: 'key.asc' }, views: views() } })
    const shared = await publish(site, 'el', { force: true })
    await site.reopen({ sections: { signing: { key_file: 'key.asc' }, views: views(false) } })
    const unsigned = await publish(site, 'el')

    expect([own.signedBy, shared.signedBy, unsigned.signedBy]).toEqual([
      key.fingerprint,
      key.fingerprint,
      null,
    ])
    expect(await readFile(join(site.published(latest), 'about'), 'utf8')).toBe('el by nobody')
  })

  it('cannot be published before every member was synced', async () => {
    await using world = await openWorld()
    const { site } = world
    await sync(site, 'base')

    await expect(publish(site, 'el')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'extra has never been synced',
    })
    expect(await listPublications(site.context, {}, signal)).toEqual([])
  })

  it('names a member whose last sync failed, and gives its last good revision', async () => {
    await using world = await openWorld()
    const { site, extra } = world
    await sync(site, 'base', 'extra')
    extra.put('repodata/repomd.xml', Buffer.from('<broken'))
    await site.trySync('extra')

    const { published } = await publishSources(
      contextOf(site),
      [{ source: 'el', as: null, force: false }],
      signal,
    )

    expect(published).toMatchObject([{ path: latest, packages: 3 }])
    expect(site.warnings('LAST_SYNC_FAILED')).toEqual([expect.stringContaining('extra')])
  })

  it('is a source: its content, what it is, an export, the state of a moment', async () => {
    let now = new Date('2026-11-01T10:00:00Z')
    await using world = await openWorld({ now: () => now })
    const { site, extra } = world
    await sync(site, 'base', 'extra')
    now = new Date('2026-11-02T10:00:00Z')
    show(extra, 'zelkova')
    await sync(site, 'extra')
    const target = join(site.folder, 'media')

    const content = await listContent(site.context, { source: 'el', pattern: null }, signal)
    const shown = await showSource(site.context, { source: 'el' }, signal)
    const exported = await exportSource(contextOf(site), { source: 'el', target }, signal)
    const past = await publish(site, 'el@20261102T000000Z')

    expect(content.map(({ repository, name }) => `${repository} ${name}`)).toEqual([
      'base ash',
      'base birch',
      'extra zelkova',
    ])
    expect(shown).toMatchObject({
      source: 'el',
      view: 'el',
      repository: null,
      revision: null,
      packages: 3,
      sealedAt: now,
      members: [
        { repository: 'base', revision: 1, mode: 'mirror', packages: 2 },
        { repository: 'extra', revision: 2, mode: 'filtered', packages: 1 },
      ],
    })
    expect(exported).toMatchObject({ path: target, sources: ['el'], packages: 3 })
    expect(past).toMatchObject({ path: 'views/el/at/20261102T000000Z', sources: ['el@20261102T000000Z'] })
    expect((await listAt(site, past.path)).at(-1)).toBe(rpm('extra', 'yew'))
    await expect(publish(site, 'el@20261031T000000Z')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(publish(site, 'le')).rejects.toMatchObject({ hint: 'Did you mean "el"?' })
  })

  it('is listed and shown, with what keeps it from being published', async () => {
    await using world = await openWorld()
    const { site } = world
    await sync(site, 'base')

    const [early] = await listViews(site.context, {}, signal)
    await sync(site, 'extra')
    await publish(site, 'el')
    await freeze(site, 'el@first')
    const shown = await showView(site.context, { name: 'el' }, signal)

    expect(early).toMatchObject({
      name: 'el',
      description: 'All of it',
      type: 'rpm',
      members: ['base', 'extra'],
      packages: 2,
      ready: false,
    })
    expect(shown).toMatchObject({
      packages: 3,
      ready: true,
      signedWith: null,
      snapshots: ['el@first'],
      published: [latest],
      members: [
        {
          repository: 'base',
          mode: 'mirror',
          revision: 1,
          packages: 2,
          lastSync: { status: 'synced' },
          ready: true,
        },
        { repository: 'extra', mode: 'filtered', revision: 1, packages: 1 },
      ],
    })
    await expect(showView(site.context, { name: 'ell' }, signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'Did you mean "el"?',
    })
  })

  it('takes a mirror that joined it only once that was synced again, which fetches no package', async () => {
    await using world = await openWorld({ sections: {} })
    const { site, base } = world
    await sync(site, 'base', 'extra')
    await site.reopen({ sections: { views: [{ name: 'el', repos: ['base', 'extra'] }] } })

    await expect(publish(site, 'el')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      hint: expect.stringContaining('chantal repo sync base'),
    })
    await expect(freeze(site, 'el@early', true)).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    base.forgetRequests()
    const joined = await site.sync('base')
    const again = await site.sync('base')

    expect(joined).toMatchObject({ status: 'synced', revision: 2, packages: 2, fetchedFiles: 0 })
    expect(base.requests.filter(({ path }) => path.endsWith('.rpm'))).toEqual([])
    expect(again.status).toBe('unchanged')
    await publish(site, 'el')
    expect(await listAt(site, latest)).toEqual([
      rpm('base', 'ash'),
      rpm('base', 'birch'),
      rpm('extra', 'yew'),
    ])
  })

  it('that a mirror left costs that mirror nothing', async () => {
    await using world = await openWorld()
    const { site } = world
    await sync(site, 'base')
    await site.reopen({ sections: {} })

    expect(await site.sync('base')).toMatchObject({ status: 'unchanged', revision: 1 })
  })
})

describe('a view of RPM repositories', () => {
  const packagesAt = async (site: Site, path: string) => {
    const { trouble, packages: found } = await readAsClient(site.published(path))
    expect(trouble).toEqual([])
    return [...found].sort()
  }

  it('is repeated at another path without a step for each package, and as a client takes it', async () => {
    const key = await signingKey()
    await using world = await openWorld({
      files: { 'key.asc': key.privateKey },
      sections: {
        views: [{ name: 'el', repos: ['base', 'extra'] }],
        signing: { key_file: 'key.asc' },
      },
    })
    const { site, extra } = world
    await sync(site, 'base', 'extra')
    const first = await site.publish('el')
    await site.snapshot('el@first')

    const frozen = await site.publish('el@first')
    show(extra, 'yew', 'zelkova')
    await sync(site, 'extra')
    const next = await site.publish('el')

    expect(first).toMatchObject({ packageLinks: 3, signedBy: key.fingerprint })
    expect(frozen).toMatchObject({ packageLinks: 0, packages: 3, signedBy: key.fingerprint })
    expect(next).toMatchObject({ packageLinks: 1, packages: 4 })
    const paths = ['base/Packages/ash', 'base/Packages/birch', 'extra/Packages/yew']
    expect(await packagesAt(site, frozen.path)).toEqual(paths.map((path) => `${path}-1.0-1.noarch.rpm`))
    expect(await packagesAt(site, latest)).toContain('extra/Packages/zelkova-1.0-1.noarch.rpm')
  })

  it('has its packages on the shelves of its members, which publish them too', async () => {
    await using world = await openWorld()
    const { site } = world
    await sync(site, 'base', 'extra')
    await site.publish('base')

    const both = await site.publish('el')
    await unpublish(site.context, { target: 'base', dryRun: false }, signal)

    expect(both.packageLinks).toBe(1)
    expect(await packagesAt(site, latest)).toHaveLength(3)
  })
})

describe('a snapshot of a view', () => {
  it('freezes every member at one moment, whatever comes after, and is published and unpublished', async () => {
    await using world = await openWorld()
    const { site, base, extra } = world
    await sync(site, 'base', 'extra')
    const made = await freeze(site, 'el@first')
    show(base, 'ash')
    show(extra, 'zelkova')
    await sync(site, 'base', 'extra')

    const published = await publish(site, 'el@first')
    const [row] = await listSnapshots(site.context, { ids: ['el'] }, signal)

    expect(made).toMatchObject({ kind: 'view', source: 'el@first' })
    expect(published).toMatchObject({ path: 'views/el/snapshots/first', sources: ['el@first'], packages: 3 })
    expect(await listAt(site, published.path)).toEqual([
      rpm('base', 'ash'),
      rpm('base', 'birch'),
      rpm('extra', 'yew'),
    ])
    expect(row).toMatchObject({
      source: 'el@first',
      revision: null,
      members: [
        { repository: 'base', revision: 1 },
        { repository: 'extra', revision: 1 },
      ],
      packages: 3,
      createdBy: site.context.user,
      published: ['views/el/snapshots/first'],
    })
    await expect(freeze(site, 'el@first')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    const remove = () => deleteSnapshot(site.context, { source: 'el@first', dryRun: false }, signal)
    await expect(remove()).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    await unpublish(site.context, { target: 'el@first', dryRun: false }, signal)
    expect(await remove()).toEqual({ source: 'el@first', packages: 3, deleted: true })
    await expect(remove()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is refused where a member was never synced, or its last sync was no success, unless that is allowed', async () => {
    await using world = await openWorld()
    const { site, extra } = world
    await sync(site, 'base')
    await expect(freeze(site, 'el@early', true)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await sync(site, 'extra')
    show(extra, 'yew', 'zelkova')
    extra.remove('Packages/zelkova-1.0-1.noarch.rpm')
    expect((await site.trySync('extra')).status).toBe('partial')

    await expect(freeze(site, 'el@partial')).rejects.toMatchObject({
      code: 'SYNC_INCOMPLETE',
      message: expect.stringContaining('extra (partial'),
      hint: expect.stringContaining('--allow-partial'),
    })
    await freeze(site, 'el@partial', true)

    const rows = await listSnapshots(site.context, { ids: [] }, signal)
    expect(rows.map(({ source, packages }) => [source, packages])).toEqual([['el@partial', 3]])
  })

  it('is pinned, copied to a stage, and moved between under a name of its own', async () => {
    await using world = await openWorld()
    const { site, extra } = world
    await sync(site, 'base', 'extra')
    await freeze(site, 'el@first')
    show(extra, 'zelkova')
    await sync(site, 'extra')
    await freeze(site, 'el@second')

    const pinned = await pinSnapshot(site.context, { source: 'el@first', isPinned: true }, signal)
    const copied = await copySnapshot(site.context, { from: 'el@first', to: 'el@production' }, signal)
    const stable = await publish(site, 'el@first', { as: 'stable' })
    const before = await listAt(site, stable.path)
    await publish(site, 'el@second', { as: 'stable' })

    expect(pinned).toMatchObject({ source: 'el@first', pinned: true })
    await expect(
      deleteSnapshot(site.context, { source: 'el@first', dryRun: true }, signal),
    ).rejects.toMatchObject({ code: 'USAGE_INVALID', message: 'el@first is pinned' })
    expect(copied).toMatchObject({ source: 'el@production', isPinned: false })
    expect(copied.revisions.map(({ number }) => number)).toEqual([1, 1])
    expect(stable.path).toBe('views/el/snapshots/stable')
    expect(before.at(-1)).toBe(rpm('extra', 'yew'))
    expect((await listAt(site, stable.path)).at(-1)).toBe(rpm('extra', 'zelkova'))
    await expect(
      copySnapshot(site.context, { from: 'el@first', to: 'base@first' }, signal),
    ).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    await expect(publish(site, 'el', { as: 'stable' })).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  it('keeps what a member held that is gone from the configuration, and says what publishing it needs', async () => {
    await using world = await openWorld()
    const { site, repositories } = world
    await sync(site, 'base', 'extra')
    await freeze(site, 'el@first')
    await publish(site, 'el@first')
    const [, extra] = repositories
    const views = [{ name: 'el', repos: ['extra'] }]
    await site.reopen({ repositories: [{ ...extra }], sections: { views } })

    const audited = await auditContent(site.context, { source: 'el@first' }, signal)
    const diff = await diffSources(site.context, { from: 'el', to: 'el@first' }, signal)

    expect(audited.map(({ package: { name }, origins }) => [name, origins])).toEqual([
      ['ash', [null]],
      ['birch', [null]],
      ['yew', [`${world.extra.url}Packages/yew-1.0-1.noarch.rpm`]],
    ])
    expect(diff.added.map(({ name }) => name)).toEqual(['ash', 'birch'])
    await expect(publish(site, 'el@first', { as: 'stable' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'el@first holds packages of base, gone from the configuration',
      hint: expect.stringContaining('`enabled: false`'),
    })
    await site.reopen({ repositories: [{ ...repositories[0], enabled: false }, { ...extra }] })
    const { path } = await publish(site, 'el@first', { as: 'stable' })
    expect(await listAt(site, path)).toHaveLength(3)
  })

  it('differs from what is latest by member, and as a whole by what clients see', async () => {
    await using world = await openWorld()
    const { site, base, extra } = world
    await sync(site, 'base', 'extra')
    await freeze(site, 'el@first')
    // birch moves, ash is updated in the other member, yew goes and zelkova comes.
    const updated = rpmFiles([{ name: 'birch' }, { name: 'ash', version: '2.0-1' }, { name: 'zelkova' }])
    show(base)
    for (const [path, bytes] of Object.entries(updated)) extra.put(path, bytes)
    await site.reopen({
      repositories: world.repositories,
      sections: { views: [{ name: 'el', repos: ['base', 'extra'] }] },
    })
    await site.trySync('base', { force: true })
    await sync(site, 'extra')

    const diff = await diffSources(contextOf(site), { from: 'el@first', to: null }, signal)

    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)
    expect(diff).toMatchObject({ from: 'el@first', to: 'el', replaced: [] })
    expect({ added: names(diff.added), removed: names(diff.removed) }).toEqual({
      added: ['zelkova'],
      removed: ['yew'],
    })
    expect(diff.updated.map(({ name, from, to }) => [name, from.version, to.version])).toEqual([
      ['ash', '0:1.0-1', '0:2.0-1'],
    ])
    expect(
      diff.members.map(({ repository, added, removed }) => [repository, names(added), names(removed)]),
    ).toEqual([
      ['base', [], ['ash', 'birch']],
      ['extra', ['ash', 'birch', 'zelkova'], ['yew']],
    ])
  })
})
