import { configurationJsonSchema } from '../../src/config/show.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { documentationProgram, renderCommands } from './commands.ts'
import { renderConfiguration } from './configuration.ts'

/** The pages under docs/ that are made from the program, by file name. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ['commands.md', renderCommands(documentationProgram())],
    ['configuration.md', renderConfiguration(configurationJsonSchema(ecosystems))],
  ])
}
