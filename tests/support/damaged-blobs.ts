import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { resolveSource } from '../../src/app/source.ts'
import type { Site } from './site.ts'

/** The document of the latest revision whose path ends in `name`, and where its blob is. */
export async function documentOf({ context }: Site, id: string, name: string) {
  const { revisions } = await context.catalog.read((reader) => resolveSource(reader, context.settings, id))
  const files = await context.catalog.read((reader) => reader.files(revisions[0]))
  const found = files.find((file) => file.path.endsWith(name))
  if (!found) throw new Error(`no ${name} among ${files.map((file) => file.path).join(' ')}`)
  const { digest } = found
  return {
    file: found.path,
    digest,
    blob: path.join(context.settings.storage.poolPath, 'sha256', digest.slice(0, 2), digest),
  }
}

/** What a disk does. */
export async function turnOneBit(file: string): Promise<void> {
  const bytes = await readFile(file)
  await chmod(file, 0o644)
  await writeFile(
    file,
    bytes.map((byte, at) => (at === 12 ? byte ^ 1 : byte)),
  )
}
