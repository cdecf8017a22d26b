import { enumerate } from '../../core/enumerate.ts'
import type { StoredFile, UpstreamFile } from '../../core/model.ts'
import type { FetchedFile, ReadRequest } from '../ecosystem.ts'
import { judgeExtraFiles, parseExtraFiles } from './formats/extra-files.ts'
import { isElsewhere, isRepodata, parseTreeinfo, type TreeVariant } from './formats/treeinfo.ts'
import { extraFilesPath } from './metadata.ts'

type Request = Pick<ReadRequest, 'mode' | 'metadata' | 'limits' | 'reporter'>

/**
 * Installer images and what else the treeinfo refers to; kickstart trees list more in extra_files.json. Without the metadata of other
 * repositories within the tree: nothing that it lists is mirrored, and half a repository fails its clients. A warning names them.
 */
export async function* listTree(
  request: Request,
  treeinfo: FetchedFile,
): AsyncGenerator<UpstreamFile | StoredFile> {
  const { metadata, limits, reporter } = request
  const { files, variants } = parseTreeinfo(Buffer.from(await treeinfo.bytes()).toString('utf8'))
  warnOfOtherRepositories(request, variants)
  for (const { path, checksum } of files) {
    if (isRepodata(path)) continue
    yield { path, location: path, expect: { checksums: checksum ? [checksum] : [], maxSize: limits.package } }
  }
  const extra = await metadata.fetchOptional(
    extraFilesPath,
    { checksums: [], maxSize: limits.rootDocument },
    { isGuess: true },
  )
  if (!extra) return
  const text = Buffer.from(await extra.bytes()).toString('utf8')
  const kind = judgeExtraFiles(text)
  if (kind === 'malformed') {
    const message = `${extraFilesPath} is no JSON, and is left out with all that it lists`
    reporter.report({ type: 'warning', code: 'METADATA_MALFORMED', message })
  }
  if (kind !== 'list') return
  yield { path: extra.path, digest: extra.digest, size: extra.size }
  for (const { path, size, checksums } of parseExtraFiles(text)) {
    if (isRepodata(path) && !path.startsWith('repodata/')) continue
    const promised = { checksums, maxSize: limits.package }
    yield { path, location: path, expect: size === null ? promised : { ...promised, size } }
  }
}

const kinds: Readonly<Record<TreeVariant['kind'], string>> = {
  variant: 'variant',
  addon: 'add-on',
  general: 'variant',
}

/** Those that a mirror's treeinfo names outside of the tree may well stand there: it is served as upstream's is. */
function warnOfOtherRepositories({ mode, reporter }: Request, variants: readonly TreeVariant[]): void {
  const others = variants.flatMap(({ id, kind, repository }) => {
    if (!isElsewhere(repository) || (mode === 'mirror' && repository.where === 'outside')) return []
    const folder = repository.where === 'inside' ? repository.path : repository.reference
    return [`${kinds[kind]} ${id} at ${folder}`]
  })
  if (others.length === 0) return
  const consequence =
    mode === 'mirror'
      ? "though its treeinfo, which is upstream's, goes on naming them"
      : 'and the treeinfo that is published does not name them'
  reporter.report({
    type: 'warning',
    code: 'METADATA_DROPPED',
    message: `repositories that belong to the installable tree are not mirrored with it, ${consequence}: ${enumerate(others)}. Mirror each as a repository of its own: its feed is this one followed by that path`,
  })
}
