import { fullName, nearest, type Location, type Problem, type RequiredService } from '../model';
import { parseReference } from '../tag';
import { circles, type CircleWords, type Standing } from './requires';
import { placeIn, type ProjectSettings } from './settings';

export interface Deploying extends ProjectSettings {
  /** Whether there is anything to deploy of it. */
  readonly deploys: boolean;
}

export interface RequiredServices {
  readonly byProject: ReadonlyMap<string, readonly RequiredService[]>;
  readonly problems: readonly Problem[];
}

const circularServices: CircleWords = {
  code: 'serviceCircular',
  message: 'it requires itself',
  hint: 'take one of them out of requires',
};

/** What `requires` of the config says of each project. */
export function requiredServices(all: readonly Deploying[]): RequiredServices {
  const problems: Problem[] = [];
  const standing: Standing[] = [];
  const byProject = new Map<string, readonly RequiredService[]>();
  const deploys = new Map(all.map((each) => [each.project.name, each.deploys] as const));
  for (const each of all) {
    const { project, config } = each;
    const written = (config.requires ?? []).map((one) => (typeof one === 'string' ? { project: one } : one));
    const right: (RequiredService & { readonly location: Location | undefined })[] = [];
    for (const [index, one] of written.entries()) {
      const location = placeIn(each, ['requires', index, 'project']) ?? placeIn(each, ['requires', index]);
      const service = { ...one, project: fullName(one.project, [...deploys.keys()]) };
      const mistake = mistakeIn(service, one.project, deploys);
      if (mistake) problems.push(problemOf(project.name, mistake, location));
      else right.push({ ...service, location });
    }
    if (right.length > 0) byProject.set(project.name, right.map(withoutPlace));
    standing.push({ project: project.name, required: right });
  }
  return { byProject, problems: [...problems, ...circles(standing, circularServices)] };
}

type Mistake = Pick<Problem, 'code' | 'message'> & { readonly hint: string };

function mistakeIn({ project, image }: RequiredService, written: string, deploys: ReadonlyMap<string, boolean>): Mistake | undefined {
  if (!deploys.has(project)) {
    const meant = nearest(project, deploys.keys());
    return {
      code: 'serviceUnknown',
      message: `requires names ${written}, which is no project of this workspace`,
      hint: meant === undefined ? 'write the name of a project with manifests' : `perhaps ${meant} was meant`,
    };
  }
  if (deploys.get(project) !== true) {
    const hint = 'put its manifests in k8s/*.yaml beside it';
    return { code: 'serviceUnknown', message: `requires names ${written}, of which nothing is deployed`, hint };
  }
  if (image === undefined || parseReference(image).ok) return undefined;
  const message = `requires names the image ${image} for ${written}, which is no reference`;
  return { code: 'serviceImageInvalid', message, hint: 'write registry/name:tag' };
}

function problemOf(project: string, { code, message, hint }: Mistake, location: Location | undefined): Problem {
  const at = location && { location };
  return { code, message: `${project}: ${message}`, hint, retry: 'whenInputChanges', exitCode: 2, project, ...at };
}

function withoutPlace({ project, image }: RequiredService): RequiredService {
  return { project, ...(image !== undefined && { image }) };
}
