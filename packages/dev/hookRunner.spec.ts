import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeeded, type Event, type Hook, type Workspace } from '../model';
import { localContainer, programPath } from '../testkit/localContainer';
import { HookRunner } from './hookRunner';
import type { Session } from './session';

const ref = `localhost:5000/shop/api:1a2b@sha256:${'c'.repeat(64)}`;
const workspace: Workspace = {
  ...{ root: '/shop', projects: new Map(), releases: new Map(), targets: new Map(), forwards: [], problems: [] },
  artifacts: new Map([
    [
      'api',
      {
        ...{ name: 'api', project: 'api', image: 'shop/api', inputs: [], requires: [], targets: [], after: [] },
        ...{ recipe: { builder: 'layers/1', context: '', dockerfile: 'Dockerfile', args: {} }, reload: { kind: 'hot', because: '' } },
      },
    ],
  ]),
};
const pod = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'api-1', namespace: 'shop' } },
  status: { containerStatuses: [{ name: 'api', state: { running: {} } }] },
};

describe('a hook in a container', () => {
  let folder: string;
  let container: ReturnType<typeof localContainer> | undefined;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'slipway-hooks-'))));
  afterEach(async () => {
    await container?.kill();
    rmSync(folder, { recursive: true });
  });

  /** What it prints in a container that has these tools alone. */
  const run = async (hook: Pick<Hook, 'run'> & Partial<Pick<Hook, 'stage' | 'when'>>, tools: Readonly<Record<string, string>>) => {
    container = localContainer(folder, tools);
    const events: Event[] = [];
    const session = {
      options: { root: '/shop', env: {}, namespace: 'shop' },
      read: { settings: {} },
      target: { context: `Anna's cluster`, namespace: 'default' },
      workspaceId: 'w',
      kube: { ...container.kube, list: () => Promise.resolve(succeeded([pod])) },
    } as unknown as Session;
    const problem = await new HookRunner(session, (event) => events.push(event)).run(
      { name: 'api', project: 'api' } as Parameters<HookRunner['run']>[0],
      [
        {
          stage: 'deploy',
          when: 'after',
          ...hook,
          where: { kind: 'container', container: 'api', env: { GREETING: `it's` } },
          timeoutMs: 10_000,
        },
      ],
      { workspace, images: { api: { ref } }, env: { SLIPWAY_FILES: '3' }, signal: new AbortController().signal },
    );
    return { problem, lines: events.flatMap((event) => (event.kind === 'output' ? [event.line] : [])) };
  };

  it('that is a command for a shell is told what one on this machine is', async () => {
    const names = [
      'SLIPWAY_PROJECT',
      'SLIPWAY_CONTEXT',
      'SLIPWAY_HOOK',
      'SLIPWAY_FILES',
      'IMAGE',
      'IMAGE_TAG',
      'IMAGE_REPO_shop_api',
      'GREETING',
    ];
    const command = `# what it knows\n${names.map((name) => `echo "$${name}"`).join('\n')}`;
    const { problem, lines } = await run({ run: command }, { sh: programPath('sh') ?? '' });
    expect(problem).toBeUndefined();
    expect(lines).toEqual(['api', `Anna's cluster`, 'after deploy', '3', ref, '1a2b', 'localhost:5000/shop/api', `it's`]);
  });

  it.each([
    ['after', 'deploy', 'mend what it says; it is run again with the next change'],
    ['before', 'sync', 'mend what it says; it is run again with the next change, and after a while'],
  ] as const)('that fails %s %s says when it is run again', async (when, stage, hint) => {
    const { problem } = await run({ run: 'exit 7', when, stage }, { sh: programPath('sh') ?? '' });
    expect(problem).toMatchObject({ code: 'hookFailed', hint });
  });

  it('that is a list runs where there is nothing else', async () => {
    const { problem, lines } = await run({ run: ['echo', 'here'] }, { echo: programPath('echo') ?? '' });
    expect(problem).toBeUndefined();
    expect(lines).toEqual(['here']);
  });
});
