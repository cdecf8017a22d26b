import type { TestProject } from 'vitest/node'
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresql: PostgresqlServer
  }
}

/** Servers that all suites of a run share. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const postgresql = await startPostgresql()
  project.provide('postgresql', postgresql.server)
  return () => postgresql.stop()
}
