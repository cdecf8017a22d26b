// docs.ts   - writes the pages of the reference that are made from the program: commands and configuration.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedPages } from './docs/generated-pages.ts'

const docs = join(import.meta.dirname, '..', 'docs')
for (const [name, text] of generatedPages()) writeFileSync(join(docs, name), text)
