import { isReached } from '../../plan';
import type { SimPod } from './cluster';
import { filesBelow } from './disk';
import { Random } from './random';
import { trueRules, type Rules } from './rules';
import { editableFolders, shopArtifacts, shopBase, shopTarget } from './shop';
import { Simulation } from './simulation';

/** How long a history goes on after its last fault before it is judged, in virtual milliseconds. */
const quietMs = 60_000;

export interface HistoryEnd {
  readonly seed: number;
  /** What is wrong at the end; empty when everything converged. */
  readonly wrong: readonly string[];
}

/**
 * Plays one seeded history: random edits, kills, cut streams and restarts of the loop, then nothing more; and compares what
 * is in the cluster with what is on disk. Nothing is touched at the end, so that what was forgotten stays forgotten.
 */
export function simulate(seed: number, rules: Rules = trueRules): HistoryEnd {
  const simulation = new Simulation(seed, rules);
  writeFirstFiles(simulation);
  simulation.startLoop();
  const { random, clock } = simulation;
  let at = random.between(0, 3000);
  const acts = random.between(4, 16);
  for (let count = 0; count < acts; count += 1) {
    at += random.chance(0.5) ? random.between(0, 60) : random.between(60, 4000);
    clock.after(at - clock.now, () => act(simulation));
  }
  askNowAndThen(simulation, { seed, until: at });
  while (clock.step(at));
  simulation.faults = false;
  const end = at + quietMs;
  while (clock.step(end));
  return { seed, wrong: judge(simulation) };
}

/** In some histories a person presses keys too. Drawn apart, so that what else happens under a seed stays what it was. */
function askNowAndThen(simulation: Simulation, { seed, until }: { readonly seed: number; readonly until: number }): void {
  if (seed % 3 !== 0) return;
  const random = new Random(seed + 1_000_003);
  for (let count = 0; count < 3; count += 1) {
    const artifact = random.pick(shopArtifacts)?.name ?? 'a';
    simulation.clock.after(random.between(0, until), () => simulation.ask(artifact, random.chance(0.5) ? 'rebuild' : 'resync'));
  }
}

function writeFirstFiles(simulation: Simulation): void {
  for (const folder of editableFolders) {
    const count = simulation.random.between(1, 4);
    for (let index = 0; index < count; index += 1) simulation.disk.set(`${folder}/f${String(index)}`, 'first');
  }
  for (const { name } of shopArtifacts) simulation.disk.set(`apps/${name}/k8s.yaml`, 'first');
}

function act(simulation: Simulation): void {
  const { random } = simulation;
  const release = simulation.releases.get(random.pick(shopArtifacts)?.name ?? '');
  const pod = release && random.pick(release.pods);
  switch (random.between(0, 18)) {
    case 0:
      return pod && simulation.killContainer(release, pod, random.chance(0.7) ? 0 : random.between(100, 15_000));
    case 1:
      return pod && simulation.reschedule(release, pod);
    case 2:
      if (pod) {
        simulation.cutStream(pod.containerId);
        if (random.chance(0.5)) revert(simulation, pod);
      }
      return;
    case 3:
    case 4:
      // The loop is gone while somebody undoes an edit.
      if (pod) revert(simulation, pod);
      return simulation.startLoop();
    case 5: {
      const name = random.pick(shopArtifacts)?.name ?? 'a';
      return simulation.edit(`apps/${name}/k8s.yaml`, `manifest ${String(random.between(0, 1000))}`);
    }
    case 6: {
      // A branch switch: many files at once.
      for (const path of [...simulation.disk.keys()]) if (random.chance(0.3)) editOne(simulation, path);
      return;
    }
    case 7:
      return pod && revert(simulation, pod);
    case 8:
    case 9:
      return flip(simulation, `${random.pick(editableFolders) ?? 'libs/x'}/f${String(random.between(0, 3))}`);
    case 16:
      return undo(simulation, `apps/e/src/f${String(random.between(0, 3))}`);
    case 17:
      return undo(simulation, `${random.pick(editableFolders) ?? 'libs/x'}/f${String(random.between(0, 3))}`);
    default: {
      const folder = random.pick(editableFolders) ?? 'libs/x';
      return editOne(simulation, `${folder}/f${String(random.between(0, 5))}`);
    }
  }
}

/** Puts a file that was synced into a pod back to what the pod's image holds. */
function revert(simulation: Simulation, pod: SimPod): void {
  const shop = shopArtifacts.find((artifact) => artifact.name === pod.artifact);
  const edited = [...pod.files.keys()].filter((path) => pod.files.get(path) !== pod.image.files.get(path));
  const path = simulation.random.pick(edited);
  const copy = shop?.copies.find(([, to]) => path?.startsWith(`${to}/`));
  if (path === undefined || !copy || shop?.target !== undefined) return;
  simulation.edit(copy[0] + path.slice(copy[1].length), pod.image.files.get(path));
}

/** Saves a file, saves something else at once, and goes back: between a look and a read it is another one. */
function flip(simulation: Simulation, path: string): void {
  const { random } = simulation;
  const first = `flip ${String(random.between(0, 100_000))}`;
  simulation.edit(path, first);
  const away = random.between(5, 120);
  simulation.clock.after(away, () => simulation.edit(path, `${first} away`));
  simulation.clock.after(away + random.between(1, 30), () => simulation.edit(path, first));
}

/** Saves a file and takes it back when what it asked for may have been done, with nobody knowing. */
function undo(simulation: Simulation, path: string): void {
  const { random } = simulation;
  const before = simulation.disk.get(path);
  simulation.edit(path, `undone ${String(random.between(0, 100_000))}`);
  simulation.clock.after(random.between(60, 700), () => simulation.edit(path, before));
}

function editOne(simulation: Simulation, path: string): void {
  const { random } = simulation;
  if (path.startsWith(shopTarget.output) || path.endsWith('.yaml')) return;
  const kind = random.next();
  if (kind < 0.15) simulation.edit(path, undefined);
  else if (kind < 0.22) simulation.edit(path, `bad ${String(random.between(0, 1000))}`);
  // Now and then the first content again: back to what an older image was made from.
  else if (kind < 0.35) simulation.edit(path, 'first');
  else simulation.edit(path, `text ${String(random.between(0, 100_000))}`);
}

function judge(simulation: Simulation): readonly string[] {
  const wrong: string[] = [...simulation.violations];
  const { disk } = simulation;
  const isBad = (folders: readonly string[]): boolean =>
    folders.some((folder) => [...filesBelow(disk, folder).values()].some((text) => text.startsWith('bad')));
  const baseBuilt = simulation.imageContent(shopBase.name, disk, '').built;
  const targetBad = isBad(shopTarget.inputs);
  let allGood = !targetBad && !isBad(shopBase.recipes);

  if (!targetBad) {
    const made = new Map(shopTarget.inputs.flatMap((folder) => [...filesBelow(disk, folder)]));
    for (const [path, content] of made) {
      const output = `${shopTarget.output}/${path.replaceAll('/', '_')}`;
      if (disk.get(output) !== `made from ${content}`) wrong.push(`${output} was not made from what is on disk`);
    }
  }
  for (const shop of shopArtifacts) {
    const release = simulation.releases.get(shop.name);
    const truth = simulation.imageContent(shop.name, disk, shop.base === undefined ? '' : baseBuilt);
    const sourceBad = isBad(shop.compiled ?? []);
    const imageBad = sourceBad || isBad(shop.recipes) || (shop.base !== undefined && isBad(shopBase.recipes));
    if (imageBad) allGood = false;
    const first = release?.fingerprint === '';
    if (!release || (first && (imageBad || (shop.target !== undefined && targetBad)))) continue;
    if (release.pods.length !== shop.replicas)
      wrong.push(`${shop.name}: ${String(release.pods.length)} pods instead of ${String(shop.replicas)}`);
    if (!imageBad && !(shop.target !== undefined && targetBad) && release.config !== disk.get(`apps/${shop.name}/k8s.yaml`))
      wrong.push(`${shop.name}: its manifest is not applied`);
    for (const pod of release.pods) {
      if (!pod.running) wrong.push(`${pod.name} does not run`);
      if (!imageBad && !(shop.target !== undefined && targetBad) && pod.image.built !== truth.built)
        wrong.push(`${pod.name} runs an image of other sources`);
      // While an image cannot be made, what can be copied is in the running container all the same.
      if (shop.target !== undefined && targetBad) continue;
      const wanted = new Map([...truth.files, ...simulation.onlySynced(shop)]);
      for (const path of new Set([...wanted.keys(), ...pod.files.keys()])) {
        if (pod.files.get(path) !== wanted.get(path))
          wrong.push(`${pod.name}: ${path} is ${pod.files.get(path) ?? 'absent'} instead of ${wanted.get(path) ?? 'absent'}`);
        else if (!sourceBad && pod.loaded.get(path) !== wanted.get(path)) wrong.push(`${pod.name}: its process has not taken up ${path}`);
      }
      // Whatever was not compiled, the process runs what once compiled.
      if (shop.compiled && [...pod.binary.values()].some((text) => text.startsWith('bad')))
        wrong.push(`${pod.name} runs what does not compile`);
    }
  }
  if (allGood && !isReached(simulation.world)) wrong.push('the loop does not say that it is done');
  if (wrong.length === 0 && simulation.world.running.size > 0) wrong.push('something still runs');
  return wrong;
}
