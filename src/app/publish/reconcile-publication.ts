import type { RelativePath } from '../../core/path.ts'
import type { AppContext } from '../context.ts'

type Parts = Pick<AppContext, 'catalog' | 'publications'>

/**
 * Has the catalog agree with the disk about a path: a process that died between switching and recording left clients with a generation
 * that the catalog does not call current, or the catalog with generations that are not there and would keep their revisions for ever.
 * The caller holds the publication's lease.
 */
export async function reconcilePublication(parts: Parts, path: RelativePath): Promise<void> {
  const { catalog, publications } = parts
  const lost = await lostGenerations(parts, path)
  const shown = await publications.current(path)
  const { known, recorded } = await catalog.read(async (reader) => ({
    known: await reader.publication(path),
    recorded: await reader.generations(path),
  }))
  const unrecorded =
    known?.current?.generation === shown?.name
      ? null
      : (recorded.find(({ generation }) => generation === shown?.name) ?? null)
  if (lost.length === 0 && unrecorded === null) return
  await catalog.write(async (writer) => {
    // The number of files was not known when it was announced.
    if (unrecorded && shown) await writer.saveGeneration({ ...unrecorded, files: shown.files }, true)
    await writer.forgetGenerations(path, lost)
  })
}

/** Those that the catalog has and the disk has not. */
export async function lostGenerations(
  { catalog, publications }: Parts,
  path: RelativePath,
): Promise<readonly string[]> {
  const onDisk = new Set((await publications.generations(path)).map(({ name }) => name))
  const recorded = await catalog.read((reader) => reader.generations(path))
  return recorded.map(({ generation }) => generation).filter((name) => !onDisk.has(name))
}
