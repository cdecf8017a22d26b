type Section = { readonly [key: string]: unknown }

const repository = (section: Section): Section => ({
  repositories: [
    {
      id: 'one',
      type: 'apt',
      feed: 'https://example.org/',
      mode: 'filtered',
      apt: { suites: ['x'] },
      ...section,
    },
  ],
})

const options: Section = {
  components: ['main'],
  architectures: ['amd64'],
  sources: true,
  languages: ['de'],
  installer: true,
  check_valid_until: false,
  check_date: false,
  compression: 'zstd',
  phased_updates: 'hold',
}

const release: Section = {
  ...{ origin: 'Us', label: 'Ours', suite: 'stable', codename: 'first', version: '1', description: 'Ours' },
  ...{ not_automatic: true, but_automatic_upgrades: true, valid_days: 3 },
  ...{ changelogs: 'https://example.org/@CHANGEPATH@', snapshots: 'https://example.org/@SNAPSHOTID@' },
}

const names = { include: ['x'], exclude: ['x'] }
const filters: Section = {
  ...{ exclude_udebs: true, query: 'nginx' },
  ...Object.fromEntries(
    ['sections', 'priorities'].flatMap((list) =>
      Object.entries(names).map(([key, value]) => [`${list}.${key}`, value]),
    ),
  ),
}

/** For each key of APT repositories a value other than its default, and a document that it may stand in. */
export const aptKeys: Readonly<
  Record<string, { readonly from?: unknown; readonly to: unknown; readonly beside: Section }>
> = Object.fromEntries([
  ['repositories[].apt.suites', { from: ['x'], to: ['y'], beside: repository({}) }],
  ['repositories[].apt.diffs', { to: true, beside: repository({ mode: 'mirror' }) }],
  ...below('apt', options),
  ...below('apt.release', release),
  ...below('filters.deb', filters),
])

function below(section: string, values: Section) {
  return Object.entries(values).map(([key, to]) => [
    `repositories[].${section}.${key}`,
    { to, beside: repository({}) },
  ])
}
