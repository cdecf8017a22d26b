import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { documentationProgram, fullName, leafCommands } from '../scripts/docs/commands.ts'
import { documentedKeys } from '../scripts/docs/configuration.ts'
import { generatedPages } from '../scripts/docs/generated-pages.ts'
import { configurationJsonSchema } from '../src/config/show.ts'
import { errorTraits } from '../src/core/errors.ts'
import { warningCodes } from '../src/core/events.ts'
import { ecosystems } from '../src/ecosystems/registry.ts'

const root = path.join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** Cells of the tables below a heading, without the head. */
function rowsBelow(page: string, heading: string): readonly (readonly string[])[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [body = ''] = section.split('\n## ')
  return body
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
  ...readdirSync(path.join(root, 'changes')).map((file) => `changes/${file}`),
]

describe('docs/errors.md', () => {
  const page = read('docs/errors.md')

  it('lists every error there is, with its traits, and no other', () => {
    const documented = rowsBelow(page, 'Errors').map(([code, exit, http, retry]) => [code, exit, http, retry])

    expect(documented).toEqual(
      Object.entries(errorTraits).map(([code, { exit, http, retry }]) => [
        `\`${code}\``,
        String(exit),
        String(http),
        retry ? 'yes' : 'no',
      ]),
    )
  })

  it('lists every warning there is, and no other', () => {
    const documented = rowsBelow(page, 'Warnings').map(([code]) => code)

    expect(documented).toEqual(warningCodes.map((code) => `\`${code}\``))
  })

  it('explains each, and says what to do', () => {
    const rows = [...rowsBelow(page, 'Errors'), ...rowsBelow(page, 'Warnings')]

    expect(rows.filter((row) => row.slice(-2).some((cell) => cell.length < 4))).toEqual([])
  })
})

describe('the pages that are made from the program', () => {
  it.each([...generatedPages()])('%s is as `npm run docs` makes it', (name, text) => {
    expect(read(`docs/${name}`)).toBe(text)
  })

  it('show an example of every command', () => {
    const page = read('docs/commands.md')
    const missing = leafCommands(documentationProgram())
      .map((command) => fullName(command))
      .filter(
        (name) =>
          name !== 'chantal help' &&
          !page.includes(`\`\`\`console\n${name} `) &&
          !page.includes(`\`\`\`console\n${name}\n`),
      )

    expect(missing).toEqual([])
  })

  it('describe every key of the configuration', () => {
    const keys = documentedKeys(configurationJsonSchema(ecosystems))

    expect(keys.length).toBeGreaterThan(80)
    expect(
      keys.filter(({ path, description }) => description === null && path !== 'repositories[].auth.type'),
    ).toEqual([])
  })
})

describe('every page', () => {
  it.each(pages)('%s links to files that exist', (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const broken = links
      .filter((target) => !/^[a-z]+:|^#/.test(target))
      .filter((target) => !existsSync(path.join(root, path.dirname(page), target.replace(/#.*$/, ''))))

    expect(broken).toEqual([])
  })

  it.each(pages)('%s names commands, options and scripts that exist', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const mistakes = commandLines(read(page)).flatMap((line) => {
      const script = /^npm (?:run )?([a-z0-9]+)/.exec(line)?.[1]
      if (script !== undefined)
        return script in scripts || ['ci', 'install', 'pack'].includes(script) ? [] : [line]
      const words = line.replace(/^npx /, '').split(/\s+/)
      return words[0] === 'chantal' ? unknownWords(words.slice(1)).map((word) => `${line}: ${word}`) : []
    })

    expect(mistakes).toEqual([])
  })
})

describe('what a page tells to type', () => {
  it.each([
    ['```console\nchantal repo sync epel9 --all\n```', []],
    ['```console\nchantal repo snyc epel9\n```', ['snyc', 'epel9']],
    ['Run `chantal repo sync --everything`.', ['--everything']],
    ['Run `npx chantal pool gc --dry-run --json`.', []],
    ['```text\nchantal is not run here\n```', []],
  ])('in %s has %s that are unknown', (page, unknown) => {
    const found = commandLines(page).flatMap((line) =>
      unknownWords(line.replace(/^npx /, '').split(' ').slice(1)),
    )

    expect(found).toEqual(unknown)
  })
})

describe('everything in git', () => {
  it('speaks of the project alone, and not of where or by whom it was written', () => {
    const tell = [
      ['', 'work', ''].join('/'),
      ['clau', 'de'].join(''),
      ['anthro', 'pic'].join(''),
      ['chat', 'gpt'].join(''),
      ['co', 'pilot'].join(''),
      ['session', '_id'].join(''),
      ['sub', 'agent'].join(''),
      ['as an AI', ''].join(' '),
    ]
    const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
      .split('\0')
      .filter((file) => file !== '' && file !== 'package-lock.json' && existsSync(path.join(root, file)))
    const found = files.flatMap((file) => {
      const text = readFileSync(path.join(root, file), 'latin1').toLowerCase()
      return tell.filter((word) => text.includes(word.toLowerCase())).map((word) => `${file}: ${word}`)
    })

    expect(files.length).toBeGreaterThan(100)
    expect(found).toEqual([])
  })
})

function withoutCode(page: string): string {
  return page.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
}

/** What a page tells its reader to type: the lines of its console blocks, and code within a sentence that begins as a command. */
function commandLines(page: string): readonly string[] {
  const blocks = [...page.matchAll(/^```(?:console|sh|bash)\n([\s\S]*?)^```$/gm)].flatMap(([, body = '']) =>
    body.split('\n').map((line) => line.replace(/^[$#] /, '').replace(/\s+#.*$/, '')),
  )
  const inline = [
    ...page.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`((?:npx )?chantal [^`\n]+|npm [^`\n]+)`/g),
  ].map(([, code = '']) => code)
  return [...blocks, ...inline].map((line) => line.trim()).filter((line) => line !== '')
}

/** Subcommands and options that the program does not know. */
function unknownWords(words: readonly string[]): readonly string[] {
  let command = documentationProgram()
  const options = new Set(command.options.flatMap(({ long }) => long ?? []))
  const unknown: string[] = []
  for (const word of words) {
    if (word === '|' || word === '>' || word === '&&') break
    const child = command.commands.find((candidate) => candidate.name() === word)
    if (child) {
      command = child
      for (const { long } of child.options) if (long !== undefined && long !== null) options.add(long)
    } else if (word.startsWith('--')) {
      if (!options.has(word.replace(/=.*$/, '')) && word !== '--help') unknown.push(word)
    } else if (command.commands.length > 0 && /^[a-z]/.test(word)) unknown.push(word)
  }
  return unknown
}
