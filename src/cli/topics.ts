import type { Command } from 'commander'
import type { Terminal } from './services.ts'

/** `chantal help TOPIC`: short pages on what spans commands. */
const topics: Readonly<Record<string, { readonly summary: string; readonly text: string }>> = {
  start: {
    summary: 'from a feed to a client in five commands',
    text: `Write a configuration, config.yaml:

    storage: { base_path: /var/lib/chantal }
    repositories:
      - id: epel9
        type: rpm
        feed: https://mirror.example.org/epel/9/Everything/x86_64/
        verify: { keys: [/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9] }

Then:

    chantal config check
    chantal repo sync epel9
    chantal snapshot create epel9@first
    chantal publish repo epel9
    chantal publish snapshot epel9@first

Serve <base_path>/published with any web server that follows symbolic links, and point clients at
repositories/epel9/latest or repositories/epel9/snapshots/first.
`,
  },
  sources: {
    summary: 'how commands name what they work on',
    text: `A source is
    ID                     a repository's latest revision
    ID@NAME                what a snapshot froze
    ID@20261101T000000Z    the revision that was latest at that moment (UTC)

The name of a view stands where an ID does: el9 is the latest revisions of all its members, el9@2026-11 what a snapshot of
the view froze, el9@20261101T000000Z what was latest in each at that moment. They are published together, as one tree.

Where several repositories make sense, ID may be a shell pattern: chantal repo sync "el9-*"
`,
  },
  exit: {
    summary: 'what exit statuses mean',
    text: `    0        done; also when there was nothing to do
    1        a bug in Chantal
    2        usage or configuration
    3, 4     not found; exists already
    10       several repositories failed, for different reasons
    11, 12   someone else is at it; the path is held after a rollback
    20-23    upstream unreachable, refused, invalid, stale
    30-35    checksum, size limit, signature missing, signature invalid, unsafe name
    40, 41   blob missing; blob or catalog corrupt
    50       partial: something that upstream lists is not there (404, 410)
    60       signing failed
    70       disk full, or not ours to write
    130      interrupted; everything is consistent
`,
  },
  json: {
    summary: 'results for programs',
    text: `--format json (or --json) prints one document on standard output: a list is an array, an action one object, and any
error {"error": {"code", "message", "hint", "details"}}. Names are snake case, sizes are ..._bytes, durations ..._ms, times
UTC in ISO 8601, absent is null. Shapes only ever grow; docs/results.md has them all.

--progress json prints one event a line on standard error. --format csv prints lists for spreadsheets.
`,
  },
}

export function registerTopics(program: Command, terminal: Terminal): void {
  const listed = Object.entries(topics).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  program
    .command('help')
    .description('show help on a command or a topic')
    .argument('[topic...]', 'a command, or a topic')
    .addHelpText('after', `\nTopics:\n${listed.join('\n')}\n`)
    .action((words: readonly string[]) => {
      const [first] = words
      const topic =
        first !== undefined && words.length === 1 && Object.hasOwn(topics, first) ? topics[first] : undefined
      if (topic) terminal.stdout.write(topic.text)
      else {
        const found = words.reduce<Command | undefined>(
          (command, word) => command?.commands.find((child) => child.name() === word),
          program,
        )
        if (found === undefined) program.error(`error: unknown help topic '${words.join(' ')}'`)
        terminal.stdout.write(
          found === program
            ? `${program.helpInformation()}\nTopics (chantal help TOPIC):\n${listed.join('\n')}\n`
            : found.helpInformation(),
        )
      }
    })
}
