import type { RunInPod } from '../forward';
import { messageOf, type Fact, type Outcome, type Report, type SeenContainer, type Step } from '../model';
import { ContainerSteps } from './containerSteps';
import type { RunStep } from './converge';
import { notInDryRun } from './dryRun';
import { HookRunner } from './hookRunner';
import { ImageSteps } from './imageSteps';
import { refusedBuilds } from './refusedBuilds';
import { ReleaseSteps, type ReleaseWatching } from './releaseSteps';
import type { Session } from './session';
import { failure } from './stepFailures';
import { TargetSteps } from './targetSteps';

/** Everything the steps do to the world outside. */
export class Effects {
  readonly images: ImageSteps;
  readonly containers: ContainerSteps;
  private readonly targets: TargetSteps;
  private readonly releases: ReleaseSteps;

  constructor(
    private readonly session: Session,
    report: Report,
    post: (fact: Fact) => void,
    now: () => number,
    /** Called when something was changed in a container after which its process may start again. */
    onWritten: (seen: SeenContainer, run: RunInPod) => void,
    watching: ReleaseWatching,
  ) {
    const hooks = new HookRunner(session, report);
    this.images = new ImageSteps(session, report, hooks);
    this.containers = new ContainerSteps(session, report, { post, now }, hooks, onWritten);
    this.targets = new TargetSteps(session, report, post);
    this.releases = new ReleaseSteps(session, report, post, hooks, watching);
  }

  readonly run: RunStep = async (step, context) => {
    try {
      return await this.runStep(step, context);
    } catch (error) {
      // A bug of ours must not end the loop: it is told like any other failure.
      const detail = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
      return failure({
        code: 'internalError',
        message: `${step.kind} failed in a way that should not be possible: ${messageOf(error)}`,
        hint: 'please report this, with the lines above',
        retry: 'whenInputChanges',
        exitCode: 1,
        detail,
      });
    }
  };

  async close(): Promise<void> {
    await Promise.all([this.images.close(), this.containers.close()]);
  }

  private async runStep(step: Step, { id, signal, world }: Parameters<RunStep>[1]): Promise<Outcome> {
    const { dryRun, noBuild } = this.session;
    const [refused] = noBuild === true ? refusedBuilds([step], world().workspace) : [];
    const kept = dryRun === true ? notInDryRun(step) : refused;
    if (kept) return failure(kept);
    switch (step.kind) {
      case 'lookUp':
        return this.images.lookUp(step, signal, world());
      case 'runTarget':
        return this.targets.run(step, signal, world());
      case 'watchTarget':
        return this.targets.watch(step, { id, signal, world });
      case 'build':
        return this.images.build(step, signal, world());
      case 'deliver':
        return this.images.deliver(step, signal, world());
      case 'apply':
        return this.releases.apply(step, signal, world());
      case 'runHooks':
        return this.releases.runHooks(step, signal, world());
      case 'remove':
        return this.releases.remove(step, signal, world());
      case 'connect':
        return this.containers.connect(step, id, signal, world());
      case 'sync':
        return this.containers.sync(step, signal, world());
      case 'reload':
        return this.containers.reload(step, world());
    }
  }
}
