import type { z } from 'zod'
import type { RepositoryId } from '../core/model.ts'
import { nearest } from '../core/nearest.ts'
import { type DocumentPath, nodeAt } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import { at, mistakesError } from './mistakes.ts'
import { buildSigning, type SharedSections } from './repository.ts'
import { buildRetention } from './retention.ts'
import type { viewSchema } from './schema.ts'
import type { ViewSettings } from './settings.ts'

export interface ParsedView {
  readonly document: z.infer<typeof viewSchema>
  readonly path: DocumentPath
}

/**
 * Checks names and members: repositories and views share one namespace, members exist, are named once and are of one type.
 * @param repositories paths of all repositories, also of those with other mistakes
 */
export async function buildViews(
  views: readonly ParsedView[],
  repositories: readonly DocumentPath[],
  shared: SharedSections,
  reader: DocumentReader,
): Promise<ViewSettings[]> {
  const taken = new Map<string, DocumentPath>()
  const types = new Map<string, string | null>()
  for (const path of repositories) {
    const id = text([...path, 'id'])
    if (id === null) continue
    claim(id, [...path, 'id'])
    types.set(id, text([...path, 'type']))
  }
  for (const { document, path } of views) {
    claim(document.name, [...path, 'name'])
    const [firstType] = document.repos.map((id) => types.get(id)).filter((type) => typeof type === 'string')
    for (const [index, id] of document.repos.entries()) {
      const member = [...path, 'repos', index]
      const type = types.get(id)
      if (type === undefined) {
        const near = nearest(id, types.keys())
        reader.wrong(
          member,
          `there is no repository ${JSON.stringify(id)}`,
          near === null ? undefined : `Did you mean "${near}"?`,
        )
      } else if (document.repos.indexOf(id) !== index)
        reader.wrong(member, `the repository ${JSON.stringify(id)} is named twice`)
      else if (type !== null && type !== firstType) {
        reader.wrong(
          member,
          `a view is of one type: ${JSON.stringify(id)} is ${type}, the first is ${firstType}`,
        )
      }
    }
  }
  const built: ViewSettings[] = []
  for (const { document, path } of views) {
    const before = reader.unreadable.length
    const signing =
      document.signing === undefined
        ? { value: shared.signing, path: ['signing'] }
        : { value: document.signing, path: [...path, 'signing'] }
    built.push({
      name: document.name,
      description: document.description ?? null,
      repositories: document.repos.map((id) => id as RepositoryId),
      signing: await buildSigning(signing, reader),
      retention: buildRetention(document.retention),
      problems: reader.unreadable.slice(before).map((mistake) => mistakesError([mistake])),
    })
  }
  return built

  function claim(name: string, path: DocumentPath): void {
    const earlier = taken.get(name)
    if (!earlier) {
      taken.set(name, path)
      return
    }
    const first = reader.mistake(earlier, '')
    reader.wrong(path, `the name ${JSON.stringify(name)} is taken, at ${at(first.place)} ${first.path}`)
  }

  function text(path: DocumentPath): string | null {
    const node = nodeAt(reader.root, path)
    return node?.kind === 'scalar' && node.value !== null ? String(node.value) : null
  }
}
