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
  const known = new Map(all.map((each) => [each.project.name, each] as const));
  for (const each of all) {
    const { project, config } = each;
    const written = (config.requires ?? []).map((one) => (typeof one === 'string' ? { project: one } : one));
    const right: (RequiredService & { readonly location: Location | undefined })[] = [];
    for (const [index, one] of written.entries()) {
      const location = placeIn(each, ['requires', index, 'project']) ?? placeIn(each, ['requires', index]);
      const service = { ...one, project: fullName(one.project, [...known.keys()]) };
      const mistake = mistakeIn(service, one.project, known);
      if (mistake) problems.push(problemOf(project.name, mistake, location));
      else right.push({ ...service, location });
    }
    if (right.length > 0) byProject.set(project.name, right.map(withoutPlace));
    const required = right.map(({ project: name, location }) => ({ name, location }));
    standing.push({ name: project.name, project: project.name, required });
  }
  return { byProject, problems: [...problems, ...circles(standing, circularServices).values()] };
}

type Mistake = Pick<Problem, 'code' | 'message'> & { readonly hint: string };

function mistakeIn({ project, image }: RequiredService, written: string, known: ReadonlyMap<string, Deploying>): Mistake | undefined {
  const service = known.get(project);
  if (!service) {
    const meant = nearest(project, known.keys());
    return {
      code: 'serviceUnknown',
      message: `requires names ${written}, which is no project of this workspace`,
      hint: meant === undefined ? 'write the name of a project with manifests' : `perhaps ${meant} was meant`,
    };
  }
  if (!service.deploys) {
    const hint = 'put its manifests in k8s/*.yaml beside it';
    return { code: 'serviceUnknown', message: `requires names ${written}, of which nothing is deployed`, hint };
  }
  if (image === undefined) return undefined;
  if (service.config.images) {
    const hint = 'leave image out: its images are built, or taken from where they are already';
    return { code: 'serviceImageInvalid', message: `requires names one image for ${written}, which has several`, hint };
  }
  if (parseReference(image).ok) return undefined;
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
