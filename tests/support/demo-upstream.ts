import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { startUpstream, type Upstream, type UpstreamOptions } from '../upstream/upstream.ts'

const assets = path.join(import.meta.dirname, '..', '..', 'assets', 'demo')

export type DemoVersion = 'v1' | 'v2'

/** The demonstration upstream's files by path, in one of its two states. */
export function demoFiles(version: DemoVersion): Readonly<Record<string, Uint8Array>> {
  const folder = path.join(assets, version)
  const files: Record<string, Uint8Array> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name)
    if (statSync(file).isFile()) files[name] = readFileSync(file)
  }
  return files
}

/** The public key that signs both states. */
export const demoKey = readFileSync(path.join(assets, 'RPM-GPG-KEY-demo'), 'utf8')

/** Serves `v1` at first. */
export async function startDemoUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  return startUpstream({ ...options, files: { ...demoFiles('v1'), ...options.files } })
}

/** Has `upstream` switch to another state: what that lacks is gone. */
export function showDemo(upstream: Upstream, version: DemoVersion): void {
  const files = demoFiles(version)
  for (const name of Object.keys(demoFiles(version === 'v1' ? 'v2' : 'v1'))) {
    if (!(name in files)) upstream.remove(name)
  }
  for (const [name, content] of Object.entries(files)) upstream.put(name, content)
}

/** Has `upstream` switch to and fro until `over`, as mirrors do that keep the packages of the state before for a while. */
export async function turnDemo(upstream: Upstream, over: AbortSignal): Promise<void> {
  const states = [demoFiles('v1'), demoFiles('v2')] as const
  for (const files of states) for (const [name, content] of Object.entries(files)) upstream.put(name, content)
  for (let round = 0; !over.aborted; round++) {
    for (const name of ['repodata/repomd.xml', 'repodata/repomd.xml.asc'])
      upstream.put(name, states[round % 2 === 0 ? 1 : 0][name] ?? '')
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}
