import type { RepositoryMode } from '../core/model.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import type { EcosystemConfiguration } from './ecosystem-configuration.ts'

/**
 * Refuses options, filters and feeds that would do nothing, or not what they say: better said than ignored. An option that is set to `false`
 * does nothing anywhere.
 * @param options as the ecosystem's schema made them; `null` where they do not fit it
 */
export function refuseIdleParts(
  ecosystem: EcosystemConfiguration,
  mode: RepositoryMode,
  options: object | null,
  path: DocumentPath,
  reader: DocumentReader,
): void {
  const values = new Map<string, unknown>(Object.entries(options ?? {}))
  for (const [key, modes] of Object.entries(ecosystem.optionModes ?? {})) {
    const at = [...path, ecosystem.id, key]
    if (modes.includes(mode) || !reader.has(at) || values.get(key) === false) continue
    reader.wrong(at, `"${key}" does nothing in mode ${mode}`, `It is for: ${modes.join(', ')}.`)
  }
  const mistakes = options === null ? [] : (ecosystem.optionMistakes?.(options, mode) ?? [])
  for (const { path: option, problem, hint } of mistakes)
    reader.wrong([...path, ecosystem.id, ...option], problem, hint)
  const metalink = [...path, 'metalink']
  if (!ecosystem.hasMetalinks && reader.has(metalink)) {
    reader.wrong(
      metalink,
      `a metalink lists mirrors of a repomd.xml, which ${ecosystem.title} repositories do not have`,
      'Give feed, feeds or mirrorlist.',
    )
  }
  const buildTime = [...path, 'filters', 'metadata', 'build_time']
  if (ecosystem.statesBuildTime || !reader.has(buildTime)) return
  reader.wrong(
    buildTime,
    `${ecosystem.title} repositories do not say when packages were built: nothing would be kept`,
  )
}
