import type { PackageOutline } from '../../core/model.ts'
import type { AptAttributes } from './attributes.ts'
import { descriptionMd5 } from './formats/translation-prune.ts'

/** What a suite's tree has, so that what accompanies packages can be pruned to it. */
export class PublishedNames {
  /** By the folder of the component; `''` for all of them. */
  readonly #descriptions = new Map<string, Set<string>>()
  readonly #names = new Map<string, Set<string>>()

  /**
   * @param folder of the package's component
   * @param stanza `null` where nobody asks for descriptions
   */
  add(folder: string, { name, attributes }: PackageOutline<AptAttributes>, stanza: Uint8Array | null): void {
    const { kind } = attributes
    for (const scope of new Set([folder, ''])) setOf(this.#names, `${kind} ${scope}`).add(name)
    if (!stanza || kind === 'source') return
    const digest = descriptionMd5(stanza)
    if (digest !== null)
      for (const scope of new Set([folder, ''])) setOf(this.#descriptions, scope).add(`${name} ${digest}`)
  }

  has(folder: string, kind: AptAttributes['kind'], name: string): boolean {
    return this.#names.get(`${kind} ${folder}`)?.has(name) ?? false
  }

  hasDescription(folder: string, name: string, digest: string): boolean {
    return this.#descriptions.get(folder)?.has(`${name} ${digest}`) ?? false
  }
}

function setOf(sets: Map<string, Set<string>>, name: string): Set<string> {
  const known = sets.get(name)
  if (known) return known
  const made = new Set<string>()
  sets.set(name, made)
  return made
}
