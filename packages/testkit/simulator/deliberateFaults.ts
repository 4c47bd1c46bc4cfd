import type { ContainerState, Fact, RunningStep, Step, World } from '../../model';
import { plan, record, snapshotOf, targetInputsHash, visibleTree } from '../../plan';
import type { Rules } from './rules';
import { contentRef } from './simulation';

/** A rule of the core, broken. The simulator must notice each: a fault that passes shows that it looks at nothing. */
export interface DeliberateFault {
  readonly name: string;
  readonly rules: () => Rules;
}

function recording(change: (world: World, fact: Fact) => Fact): () => Rules {
  return () => ({ plan, record: (world, fact) => record(world, change(world, fact)) });
}

function afterwards(change: (before: World, after: World, fact: Fact) => World): () => Rules {
  return () => ({ plan, record: (world, fact) => change(world, record(world, fact), fact) });
}

function eachContainer(world: World, change: (container: ContainerState) => ContainerState): World {
  return { ...world, containers: new Map([...world.containers].map(([id, container]) => [id, change(container)])) };
}

function stepOf(world: World, fact: Fact): Step | undefined {
  return fact.kind === 'stepEnded' ? world.running.get(fact.id)?.step : undefined;
}

function withWholeTrees(fact: Extract<Fact, { kind: 'releaseSeen' }>): Fact {
  const containers = fact.containers.map((seen) =>
    seen.snapshot ? { ...seen, snapshot: { ...seen.snapshot, imageTree: seen.snapshot.tree } } : seen,
  );
  return { ...fact, containers };
}

export const deliberateFaults: readonly DeliberateFault[] = [
  {
    name: 'a failed build is recorded as done',
    rules: recording((world, fact) => {
      const step = stepOf(world, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'failed' || step?.kind !== 'build') return fact;
      const ref = contentRef(step.artifact, step.snapshot.inputsHash);
      return { ...fact, outcome: { kind: 'built', image: { location: 'engine', ref, id: ref }, sentHash: step.snapshot.inputsHash } };
    }),
  },
  {
    name: 'a new container is assumed to hold what the old one held',
    rules: afterwards((before, after, fact) => {
      if (fact.kind !== 'releaseSeen') return after;
      return eachContainer(after, (container) => {
        if (before.containers.has(container.seen.id)) return container;
        const old = [...before.containers.values()].find((other) => other.seen.artifact === container.seen.artifact && other.files);
        return old ? { ...container, agent: old.agent, files: old.files, sent: old.sent, taken: old.taken } : container;
      });
    }),
  },
  {
    name: 'a container is known by its pod instead of its id',
    rules: () => {
      const ids = new Map<string, string>();
      return {
        plan,
        record: (world, fact) => {
          if (fact.kind !== 'releaseSeen') return record(world, fact);
          const containers = fact.containers.map((seen) => {
            const id = ids.get(seen.pod) ?? seen.id;
            ids.set(seen.pod, id);
            return { ...seen, id };
          });
          return record(world, { ...fact, containers });
        },
      };
    },
  },
  {
    name: 'removed files are not synced',
    rules: () => ({
      record,
      plan: (world) => {
        const decided = plan(world);
        const start = decided.start.map((step) =>
          step.kind === 'sync' ? { ...step, changes: step.changes.filter((change) => change.after !== undefined) } : step,
        );
        return { ...decided, start: start.filter((step) => step.kind !== 'sync' || step.changes.length > 0) };
      },
    }),
  },
  {
    name: 'a build is credited with files seen after it started',
    rules: afterwards((before, after, fact) => {
      const step = stepOf(before, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'built' || step?.kind !== 'build') return after;
      const artifact = after.workspace?.artifacts.get(step.artifact);
      const state = after.artifacts.get(step.artifact);
      if (!artifact || !state?.built) return after;
      const built = { ...state.built, snapshot: snapshotOf(artifact, visibleTree(after), step.bases) };
      return { ...after, artifacts: new Map(after.artifacts).set(step.artifact, { ...state, built }) };
    }),
  },
  {
    name: 'a new base does not rebuild what stands on it',
    rules: recording((_world, fact) => {
      if (fact.kind !== 'workspaceSeen') return fact;
      const artifacts = new Map([...fact.workspace.artifacts].map(([name, artifact]) => [name, { ...artifact, requires: [] }]));
      return { ...fact, workspace: { ...fact.workspace, artifacts } };
    }),
  },
  {
    name: 'a sync that failed half-way is taken for one that did nothing',
    rules: () => ({
      plan,
      record: (world, fact) => {
        const step = stepOf(world, fact);
        if (fact.kind === 'agentLost') return world;
        if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'failed' || step?.kind !== 'sync') return record(world, fact);
        const before = world.containers.get(step.container);
        const next = record(world, fact);
        const after = next.containers.get(step.container);
        if (!before || !after) return next;
        const same = { ...after, agent: before.agent, files: before.files, sent: before.files, inFlight: [] };
        return { ...next, containers: new Map(next.containers).set(step.container, same) };
      },
    }),
  },
  {
    name: 'a path that was refused is taken for one that was written',
    rules: recording((world, fact) => {
      const step = stepOf(world, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'synced' || step?.kind !== 'sync') return fact;
      const refused = new Set(fact.outcome.notWritten.map(({ path }) => path));
      const asked = step.changes.flatMap(({ path, after }) => (refused.has(path) ? [[path, after] as const] : []));
      return { ...fact, outcome: { ...fact.outcome, holds: [...fact.outcome.holds, ...asked], notWritten: [] } };
    }),
  },
  {
    name: 'a restarted loop does not ask for the ledgers',
    rules: recording((_world, fact) =>
      fact.kind === 'stepEnded' && fact.outcome.kind === 'connected' ? { ...fact, outcome: { ...fact.outcome, ledger: [] } } : fact,
    ),
  },
  {
    name: 'a write that was never acknowledged is left out of the ledger',
    rules: recording((_world, fact) =>
      fact.kind === 'stepEnded' && fact.outcome.kind === 'connected'
        ? { ...fact, outcome: { ...fact.outcome, ledger: fact.outcome.ledger.filter(([, entry]) => entry !== null) } }
        : fact,
    ),
  },
  {
    name: 'a sync is credited with the content that was asked for instead of the content that was sent',
    rules: recording((world, fact) => {
      const step = stepOf(world, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'synced' || step?.kind !== 'sync') return fact;
      return { ...fact, outcome: { ...fact.outcome, holds: step.changes.map((change) => [change.path, change.after] as const) } };
    }),
  },
  {
    name: 'an older state of the cluster overwrites a newer one',
    rules: () => {
      let revision = 0;
      return {
        plan,
        record: (world, fact) => {
          if (fact.kind !== 'releaseSeen') return record(world, fact);
          revision += 1;
          // The relist that would put it right is what a lost event is: this loop believes whatever came last.
          return record(world, { ...fact, revision });
        },
      };
    },
  },
  {
    name: 'the outputs of a stale target are read',
    rules: () => ({
      record,
      plan: (world) => {
        const decided = plan(world);
        const { workspace } = world;
        if (!workspace) return decided;
        const artifacts = new Map([...workspace.artifacts].map(([name, artifact]) => [name, { ...artifact, targets: [] }]));
        const careless = plan({ ...world, targets: new Map(), workspace: { ...workspace, artifacts } });
        return { ...careless, start: [...careless.start, ...decided.start.filter((step) => step.kind === 'runTarget')] };
      },
    }),
  },
  {
    name: 'a target is credited with inputs seen while it ran',
    rules: afterwards((before, after, fact) => {
      const step = stepOf(before, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'targetRan' || step?.kind !== 'runTarget') return after;
      const target = after.workspace?.targets.get(step.target);
      const state = after.targets.get(step.target);
      if (!target || !state) return after;
      return { ...after, targets: new Map(after.targets).set(step.target, { ...state, madeFrom: targetInputsHash(target, after.disk) }) };
    }),
  },
  {
    name: 'a target is credited although an input was written while it ran',
    rules: recording((_world, fact) =>
      fact.kind === 'stepEnded' && fact.outcome.kind === 'targetRan' ? { ...fact, outcome: { ...fact.outcome, touched: false } } : fact,
    ),
  },
  {
    name: 'every failure is held until its input changes',
    rules: recording((_world, fact) =>
      fact.kind === 'stepEnded' && fact.outcome.kind === 'failed'
        ? { ...fact, outcome: { kind: 'failed', problem: { ...fact.outcome.problem, retry: 'whenInputChanges' } } }
        : fact,
    ),
  },
  {
    name: 'a failed apply is taken for one that did nothing',
    rules: afterwards((_before, after, fact) =>
      fact.kind === 'stepEnded' || fact.kind === 'stepStarted'
        ? { ...after, releases: new Map([...after.releases].map(([name, state]) => [name, { ...state, uncertain: false }])) }
        : after,
    ),
  },
  {
    name: 'an image is credited with its snapshot although other files were packed',
    rules: recording((world, fact) => {
      const step = stepOf(world, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'built' || step?.kind !== 'build') return fact;
      return { ...fact, outcome: { ...fact.outcome, sentHash: step.snapshot.inputsHash } };
    }),
  },
  {
    name: 'a process is taken to have read what was only copied',
    rules: afterwards((_before, after) =>
      eachContainer(after, (container) => (container.files ? { ...container, taken: container.files } : container)),
    ),
  },
  {
    name: 'commands that did not end well are taken to have done so',
    rules: recording((world, fact) =>
      fact.kind === 'stepEnded' && fact.outcome.kind === 'failed' && stepOf(world, fact)?.kind === 'reload'
        ? { ...fact, outcome: { kind: 'reloaded' } }
        : fact,
    ),
  },
  {
    name: 'commands that failed half-way are taken to have done nothing',
    rules: () => {
      const before = new Map<string, ContainerState['taken']>();
      return {
        plan,
        record: (world, fact) => {
          const next = record(world, fact);
          if (fact.kind === 'stepStarted' && fact.step.kind === 'reload')
            before.set(fact.id, world.containers.get(fact.step.container)?.taken);
          if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'failed' || !before.has(fact.id)) return next;
          const step = stepOf(world, fact);
          const container = step?.kind === 'reload' ? next.containers.get(step.container) : undefined;
          if (!container) return next;
          return { ...next, containers: new Map(next.containers).set(container.seen.id, { ...container, taken: before.get(fact.id) }) };
        },
      };
    },
  },
  {
    name: 'what was copied while a command ran is taken for compiled',
    rules: afterwards((_before, after, fact) =>
      fact.kind === 'stepEnded' && fact.outcome.kind === 'reloaded'
        ? eachContainer(after, (container) => (container.taken && container.files ? { ...container, taken: container.files } : container))
        : after,
    ),
  },
  {
    name: 'a restarted loop takes what is in a container for taken up',
    rules: afterwards((before, after, fact) => {
      const step = stepOf(before, fact);
      if (fact.kind !== 'stepEnded' || fact.outcome.kind !== 'connected' || step?.kind !== 'connect') return after;
      const container = after.containers.get(step.container);
      if (!container || before.containers.get(step.container)?.taken) return after;
      return { ...after, containers: new Map(after.containers).set(step.container, { ...container, taken: container.files }) };
    }),
  },
  {
    name: 'only the restart is run, without the compile before it',
    rules: () => ({
      record,
      plan: (world) => {
        const decided = plan(world);
        const start = decided.start.map((step) =>
          step.kind === 'reload' ? { ...step, commands: step.commands.filter(({ run }) => run[0] !== 'compile') } : step,
        );
        return { ...decided, start };
      },
    }),
  },
  {
    name: 'what only a rule brings is taken to be in the image',
    rules: () => ({ plan, record: (world, fact) => record(world, fact.kind === 'releaseSeen' ? withWholeTrees(fact) : fact) }),
  },
  {
    name: 'a reloader is taken to watch from the first moment',
    rules: afterwards((_before, after) =>
      eachContainer(after, (container) => (container.unsettled.size === 0 ? container : { ...container, unsettled: new Set() })),
    ),
  },
  {
    name: 'a fact about a step that has ended counts again',
    rules: () => {
      const ended = new Map<string, RunningStep>();
      return {
        plan,
        record: (world, fact) => {
          if (fact.kind !== 'stepEnded') return record(world, fact);
          const running = world.running.get(fact.id) ?? ended.get(fact.id);
          if (!running) return record(world, fact);
          ended.set(fact.id, running);
          return record({ ...world, running: new Map(world.running).set(fact.id, running) }, fact);
        },
      };
    },
  },
];
