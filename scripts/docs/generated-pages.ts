import { configurationJsonSchema } from '../../src/config/show.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { documentationProgram, renderCommands } from './commands.ts'
import { renderConfiguration } from './configuration.ts'
import { renderExportFormat } from './export-format.ts'
import { renderResults } from './results.ts'

/** The pages under docs/ that are made from the program, by file name. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ['commands.md', renderCommands(documentationProgram())],
    ['results.md', renderResults()],
    ['export-format.md', renderExportFormat()],
    ['configuration.md', renderConfiguration(configurationJsonSchema(ecosystems))],
  ])
}
