import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rpmCorpus, whyNoRpmCorpus } from '../../../tests/support/rpm-corpus.ts'
import { type RpmTree, readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'

const note = whyNoRpmCorpus === null ? '' : ` (skipped: ${whyNoRpmCorpus})`
const zoo = 'derived-zoo-zck'
const modular = 'derived-modular'
const wslu = 'ruapm-wslu'
const named = (...names: readonly string[]) => names

describe.skipIf(whyNoRpmCorpus)(`filters of RPM repositories${note}`, () => {
  let upstream: Upstream
  beforeAll(async () => {
    upstream = await startUpstream({ folder: rpmCorpus })
  })
  afterAll(() => upstream[Symbol.asyncDispose]())

  /** What is published of a repository of the corpus under these filters. */
  const publishedWith = async (path: string, filters: object): Promise<RpmTree> => {
    const feed = new URL(`${path}/`, upstream.url).href
    await using site = await openSite({ repositories: [{ id: 'some', type: 'rpm', feed, filters }] })
    await site.sync('some')
    await site.publish('some')
    return await readRpmTree(site.published('repositories/some/latest'))
  }
  const versions = ({ packages }: RpmTree) =>
    packages.map(
      ({ primary: { nevra } }) => `${nevra.name} ${nevra.version}-${nevra.release} ${nevra.architecture}`,
    )

  it.concurrent.each([
    [
      'a pattern',
      zoo,
      { patterns: { include: ['^duck$', 'ake'] } },
      named('duck 0.6-1', 'duck 0.7-1', 'duck 0.8-1'),
    ],
    [
      'patterns, exclusion winning',
      zoo,
      { patterns: { include: ['^c'], exclude: ['^c[ho]', 'row'] } },
      named('camel 0.1-1', 'cat 1.0-1'),
    ],
    [
      'an upper size',
      zoo,
      { metadata: { size_bytes: { max: 1828 } } },
      named('cat 1.0-1', 'cow 2.2-3', 'fox 1.1-2'),
    ],
    ['a lower size', zoo, { metadata: { size_bytes: { min: 6560 } } }, named('kangaroo 0.3-1')],
    ['a build time', zoo, { metadata: { build_time: { newer_than: '2018-08-01' } } }, named('duck 0.8-1')],
    [
      'a time before',
      zoo,
      { metadata: { build_time: { older_than: '2012-03-15T17:09:20Z' } } },
      named('camel 0.1-1', 'fox 1.1-2', 'squirrel 0.1-1'),
    ],
    [
      'licenses',
      zoo,
      { rpm: { licenses: { include: ['Public Domain'] } } },
      named('duck 0.7-1', 'duck 0.8-1', 'kangaroo 0.3-1'),
    ],
    [
      'groups',
      zoo,
      { rpm: { groups: { exclude: ['Internet/Applications'] } } },
      named('duck 0.7-1', 'duck 0.8-1', 'kangaroo 0.3-1'),
    ],
    [
      'the newest version of what other filters leave',
      zoo,
      {
        patterns: { include: ['^(duck|walrus|kangaroo)$'] },
        rpm: { licenses: { include: ['GPLv2'] } },
        post_processing: { only_latest_version: true },
      },
      named('duck 0.6-1', 'kangaroo 0.2-1', 'walrus 5.21-1'),
    ],
    [
      'the two newest versions',
      zoo,
      { patterns: { include: ['^(duck|walrus|cow)$'] }, post_processing: { only_latest_n_versions: 2 } },
      named('cow 2.2-3', 'duck 0.7-1', 'duck 0.8-1', 'walrus 0.71-1', 'walrus 5.21-1'),
    ],
  ])('keep by %s', async (_, path, filters, expected) => {
    expect(versions(await publishedWith(path, filters))).toEqual(expected.map((text) => `${text} noarch`))
  })

  it.concurrent.each([
    [
      'vendors',
      modular,
      { rpm: { vendors: { include: ['Fedora Project'] } } },
      named('dwm 6.0-1.module_1997+c375c79c x86_64'),
    ],
    [
      'epochs',
      modular,
      { patterns: { include: ['^(npm|dwm)$'] }, rpm: { epochs: { exclude: [1] } } },
      named('dwm 6.0-1.module_1997+c375c79c x86_64'),
    ],
    [
      'source packages left out, and the newest',
      wslu,
      { rpm: { exclude_source_rpms: true }, post_processing: { only_latest_version: true } },
      named('wslu 1.7-2 x86_64'),
    ],
    [
      'the newest of each architecture',
      wslu,
      { post_processing: { only_latest_version: true } },
      named('wslu 1.7-2 src', 'wslu 1.7-2 x86_64'),
    ],
    [
      'architectures',
      wslu,
      { metadata: { architectures: { include: ['src'] } }, post_processing: { only_latest_n_versions: 2 } },
      named('wslu 1.6-1 src', 'wslu 1.7-2 src'),
    ],
    [
      'architectures left out',
      wslu,
      { metadata: { architectures: { exclude: ['src'] } }, post_processing: { only_latest_version: true } },
      named('wslu 1.7-2 x86_64'),
    ],
  ])('keep by %s', async (_, path, filters, expected) => {
    expect(versions(await publishedWith(path, filters))).toEqual(expected)
  })

  it.concurrent('keep the newest of each module stream: no stream replaces another', async () => {
    const newest = { post_processing: { only_latest_version: true } }

    const { packages, modules } = await publishedWith(modular, newest)

    const nodejs = packages.flatMap(({ primary: { nevra } }) =>
      nevra.name === 'nodejs' ? [nevra.version] : [],
    )
    expect(nodejs).toEqual(['10.11.0', '11.0.0', '5.3.1', '8.11.4'])
    expect(packages).toHaveLength(25)
    const streams = modules.flatMap((one) => (one.kind === 'stream' ? [`${one.name}:${one.stream}`] : []))
    expect(streams.filter((stream) => stream.startsWith('nodejs'))).toHaveLength(4)
  })

  it.concurrent('leave metadata true: modules, comps and advisories name what is published', async () => {
    const [cut, birds] = await Promise.all([
      publishedWith(modular, { patterns: { exclude: ['^(postgresql|npm|nodejs-devel|dwm)'] } }),
      publishedWith(zoo, {
        patterns: { include: ['^(stork|walrus|lion)$'] },
        post_processing: { only_latest_version: true },
      }),
    ])

    const streams = cut.modules.flatMap((one) =>
      one.kind === 'stream' ? [[`${one.name}:${one.stream}`, ...one.artifacts]] : [],
    )
    expect(streams).toEqual([
      ['nodejs:5', 'nodejs-1:5.3.1-1.module_2011+41787af0.x86_64'],
      ['nodejs:8', 'nodejs-1:8.11.4-1.module_2030+42747d40.x86_64'],
      ['nodejs:10', 'nodejs-1:10.11.0-1.module_2200+adbac02b.x86_64'],
      ['nodejs:11', 'nodejs-1:11.0.0-1.module_2311+8d497411.x86_64'],
      [
        'ninja:master',
        'ninja-build-0:1.8.2-4.module_1991+4e5efe2f.x86_64',
        'ninja-build-debuginfo-0:1.8.2-4.module_1991+4e5efe2f.x86_64',
        'ninja-build-debugsource-0:1.8.2-4.module_1991+4e5efe2f.x86_64',
      ],
      ['ninja:legacy', 'ninja-build-0:1.5.2-1.module_1991+4e5efe2f.x86_64'],
    ])
    const defaults = cut.modules.flatMap((one) => (one.kind === 'defaults' ? [one.module] : []))
    expect(defaults).toEqual(['nodejs', 'ninja'])
    const named = (tree: RpmTree) =>
      tree.advisories.map(({ id, collections }) => [
        id,
        ...collections.flatMap((one) => one.packages.map(({ name }) => name)),
      ])
    expect(named(cut)).toEqual([['FEDORA-2019-0329090518', 'nodejs']])
    expect(named(birds)).toEqual([
      ['RHEA-2012:0055', 'walrus'],
      ['RHEA-2012:0056', 'stork'],
    ])
    expect(birds.comps?.groups.map(({ id, packages }) => [id, ...packages.map(({ name }) => name)])).toEqual([
      ['birds', 'stork'],
      ['mammals', 'lion', 'walrus'],
    ])
  })

  it.concurrent('change what is published when they change, without fetching anything again', async () => {
    const feed = new URL(`${zoo}/`, upstream.url).href
    const base = { id: 'some', type: 'rpm', feed, mode: 'filtered' }
    await using site = await openSite({ repositories: [base] })
    const whole = await site.sync('some')
    await site.reopen({ repositories: [{ ...base, filters: { patterns: { include: ['^c'] } } }] })
    const cut = await site.sync('some')
    await site.reopen({ repositories: [base] })
    const wholeAgain = await site.sync('some')

    expect([whole, cut, wholeAgain].map(({ packages }) => packages)).toEqual([35, 7, 35])
    expect(cut).toMatchObject({ added: 0, removed: 28, replaced: 0 })
    expect(wholeAgain).toMatchObject({ added: 28, removed: 0, replaced: 0 })
    expect(wholeAgain.fetchedBytes).toBeLessThan(whole.fetchedBytes / 2)
  })
})
