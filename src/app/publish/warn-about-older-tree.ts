import type { AppContext } from '../context.ts'
import type { WantedPublication } from './publish-content.ts'
import type { PublishedTree } from './published-tree.ts'

/** Some clients keep a signed index rather than take an older one, and of a verbatim tree the time in it is upstream's. */
export async function warnAboutOlderTree(
  { catalog, reporter }: Pick<AppContext, 'catalog' | 'reporter'>,
  { path, content }: Pick<WantedPublication, 'path' | 'content'>,
  { isVerbatim, ecosystem }: Pick<PublishedTree, 'isVerbatim' | 'ecosystem'>,
): Promise<void> {
  if (!isVerbatim || !ecosystem.refusesOlder) return
  const [{ repository, number }] = content.revisions
  const known = await catalog.read((reader) => reader.publication(path))
  const shown = known?.current?.sources.find((source) => source.repository === repository)
  if (!shown || shown.revision <= number) return
  reporter.report({
    type: 'warning',
    code: 'OLDER_VERBATIM_TREE',
    message: `${path} goes back from revision ${shown.revision} of ${repository} to ${number}, as upstream signed it: clients that have seen the newer one keep it. Use \`mode: filtered\`, which signs each tree with a time of its own, or point clients at a snapshot's own path`,
    repository,
  })
}
