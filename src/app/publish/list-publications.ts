import type { UseCase } from '../context.ts'
import { sourcesOf } from './publish-result.ts'

/** A row of `publish list`. */
export interface PublicationView {
  readonly path: string
  /** `null` while the first is being made. */
  readonly generation: string | null
  readonly sources: readonly string[]
  readonly packages: number
  readonly files: number
  readonly signedBy: string | null
  readonly publishedAt: Date | null
  /** Since a rollback: publishing is refused until it is released. */
  readonly heldSince: Date | null
  /** Generations that a rollback can go to, newest first. */
  readonly earlier: readonly string[]
}

/** In order of their paths. */
export const listPublications: UseCase<object, readonly PublicationView[]> = async ({ catalog }) =>
  catalog.read(async (reader) => {
    const views: PublicationView[] = []
    for (const { path, current, heldSince } of await reader.publications()) {
      const generations = await reader.generations(path)
      views.push({
        path,
        generation: current?.generation ?? null,
        sources: current ? sourcesOf(current) : [],
        packages: current?.packages ?? 0,
        files: current?.files ?? 0,
        signedBy: current?.signedBy ?? null,
        publishedAt: current?.publishedAt ?? null,
        heldSince,
        earlier: generations
          .filter(({ generation }) => generation !== current?.generation)
          .sort((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime())
          .map(({ generation }) => generation),
      })
    }
    return views.sort((a, b) => (a.path < b.path ? -1 : 1))
  })
