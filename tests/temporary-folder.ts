import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** One folder for everything that the tests of a run put into the system's temporary folder: it goes when the run ends. */
export default function setUp(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'chantal-tests-'))
  // Servers that run as other users have to pass through.
  chmodSync(folder, 0o755)
  process.env['TMPDIR'] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
