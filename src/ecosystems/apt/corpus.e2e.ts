import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AptClient } from '../../../tests/clients/apt.ts'
import { type Nginx, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import { aptCases, aptCorpus, whyNoAptCorpus } from '../../../tests/support/apt-corpus.ts'
import { fieldOf, readAptTree } from '../../../tests/support/apt-tree.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const note = whyNoAptCorpus === null ? '' : ` (skipped: ${whyNoAptCorpus})`

describe.skipIf(whyNoAptCorpus)(`the corpus${note}`, () => {
  describeWith(['apt-get', 'nginx', 'setpriv'], 'apt on trees of real repositories', () => {
    const cases = aptCases
      .filter(({ outcome, there = 0 }) => outcome === 'synced' || there > 0)
      // A verbatim tree that is not signed is refused by apt, and one without all its packages is not published.
      .flatMap((one) =>
        one.key && one.outcome === 'synced'
          ? ([
              [one, 'mirror'],
              [one, 'filtered'],
            ] as const)
          : ([[one, 'filtered']] as const),
      )
      .map(([one, mode], index) => ({ ...one, mode, id: `case-${index}` }))
    let site: Site
    let nginx: Nginx
    beforeAll(async () => {
      const { privateKey, publicKey } = await signingKey()
      await using upstream = await startUpstream({ folder: aptCorpus })
      site = await openSite({
        repositories: cases.map(({ id, mode, path, suite, key, options, there }) => ({
          id,
          type: 'apt',
          mode,
          feed: new URL(`${path}/`, upstream.url).href,
          apt: {
            suites: [suite],
            sources: true,
            ...options,
            // It calls itself by a name that apt does not expect in this folder.
            ...(suite === 'nest/fjalar/' && { release: { codename: 'nest/fjalar' } }),
          },
          ...(key && { verify: { keys: [resolve(aptCorpus, key)] } }),
          ...(there !== undefined && { on_missing: 'skip' }),
        })),
        sections: { signing: { key_file: 'key.asc' } },
        files: { 'key.asc': privateKey, 'public.asc': publicKey },
      })
      for (const { id } of cases) {
        await site.sync(id)
        await site.publish(id)
      }
      nginx = await startNginx(site.published('.'))
    })
    afterAll(async () => {
      await nginx.stop()
      await site[Symbol.asyncDispose]()
    })

    it.concurrent.each(cases)('accepts $path, $suite as $mode, and lists its packages', async (one) => {
      const { id, mode, suite, key = '' } = one
      const { indexes, fields } = await readAptTree(site.published(`repositories/${id}/latest`), suite)
      const stanzas = [...indexes].flatMap(([name, list]) =>
        /(^|\/)Packages$/.test(name) && !name.includes('debian-installer') ? list : [],
      )
      const words = (name: string) => fields.get(name)?.split(' ') ?? []
      const architectures =
        one.options?.architectures ?? words('Architectures').filter((name) => name !== 'all')
      const components = one.options?.components ?? words('Components').map((name) => basename(name))
      await using apt = await AptClient.create({
        architectures: architectures.length === 0 ? ['amd64'] : architectures,
        sources: [
          {
            uri: `${nginx.url}/repositories/${id}/latest`,
            suites: [suite],
            components: suite.endsWith('/') ? [] : components,
            signedBy:
              mode === 'mirror' ? await inlineKey(resolve(aptCorpus, key)) : join(site.folder, 'public.asc'),
          },
        ],
      })

      const { ignored } = await apt.update()

      expect(ignored).toEqual([])
      expect(new Set(await apt.packages())).toEqual(new Set(stanzas.map(identityOf)))
    })
  })
})

function identityOf(stanza: string): string {
  return ['Package', 'Version', 'Architecture'].map((name) => fieldOf(stanza, name)).join(' ')
}

/** Some keys are armored in a file whose name says that they are not, which apt goes by. */
async function inlineKey(file: string): Promise<string> {
  const text = await readFile(file, 'latin1')
  return text.startsWith('-----BEGIN') ? text : file
}
