import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'

const memory = '/dev/shm'

/** A folder on another disk than the temporary one; `null` where there is none. What is made there has to be removed. */
export async function otherDisk(): Promise<string | null> {
  const device = async (folder: string) => (await fs.stat(folder).catch(() => null))?.dev ?? null
  const other = await device(memory)
  return other === null || other === (await device(tmpdir())) ? null : memory
}
