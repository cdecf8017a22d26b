import { glob, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { plainValueOf } from '../src/config/document.ts'
import { loadConfiguration } from '../src/config/load.ts'
import type { Mistake } from '../src/config/mistakes.ts'
import { configurationJsonSchema } from '../src/config/show.ts'
import { parseYaml } from '../src/config/yaml.ts'
import { ecosystems } from '../src/ecosystems/registry.ts'

const examples: string[] = []
for await (const file of glob('examples/**/*.yaml')) examples.push(file)

it('has examples', () => expect(examples.length).toBeGreaterThan(1))

it.each(examples)('loads %s, which its JSON Schema accepts', async (file) => {
  const request = { file, environment: {}, home: null, workingFolder: process.cwd(), now: new Date(0) }
  const mistakes: Mistake[] = []
  const document = parseYaml({ file, folder: '/', text: await readFile(file, 'utf8') }, mistakes)

  const { settings } = await loadConfiguration({ ...request, ecosystems })
  const parsed = z
    .fromJSONSchema(JSON.parse(JSON.stringify(configurationJsonSchema(ecosystems))))
    .safeParse(document && plainValueOf(document))

  expect(settings.repositories.length).toBeGreaterThan(0)
  expect(mistakes).toEqual([])
  expect(parsed.error?.issues ?? []).toEqual([])
})
