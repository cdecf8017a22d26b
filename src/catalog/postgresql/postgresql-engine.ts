import type { SqlEngine } from '../engine.ts'

export async function openPostgresql(url: {
  readonly url: URL
  readonly password: string | null
}): Promise<SqlEngine> {
  throw new Error(`not yet: ${url.url.hostname}`)
}
