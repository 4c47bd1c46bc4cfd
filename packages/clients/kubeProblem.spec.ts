import { problemOfStatus, unreachableProblem } from './kubeProblem';

const subject = 'Deployment shop/api';

describe('problemOfStatus', () => {
  it('names each field that is not valid', () => {
    const causes = [
      { reason: 'FieldValueInvalid', message: 'Invalid value: -1: must be greater than or equal to 0', field: 'spec.replicas' },
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.selector' },
    ];
    expect(problemOfStatus({ code: 422, message: 'whole text', details: { causes } }, subject)).toMatchObject({
      code: 'objectInvalid',
      message:
        'Deployment shop/api is not valid: spec.replicas: Invalid value: -1: must be greater than or equal to 0; spec.selector: Required value',
      retry: 'whenInputChanges',
    });
  });

  it('names fields that the schema does not have, which come as an internal error', () => {
    const message =
      'failed to create typed patch object (shop/api; apps/v1, Kind=Deployment): errors:\n' +
      '  .spec.template.spec.containers[name="c"].foo: field not declared in schema\n  .spec.bogus: field not declared in schema';
    expect(problemOfStatus({ code: 500, message }, subject)).toMatchObject({
      code: 'objectInvalid',
      message:
        'Deployment shop/api is not valid: spec.template.spec.containers[name="c"].foo: field not declared in schema; spec.bogus: field not declared in schema',
      detail: message,
    });
  });

  it('names a field of an element that is known by several keys', () => {
    const message =
      'failed to create typed patch object (shop/api; /v1, Kind=Service): .spec.ports[port=0,protocol="TCP"].prt: field not declared in schema';
    expect(problemOfStatus({ code: 500, message }, subject)).toMatchObject({
      message: 'Deployment shop/api is not valid: spec.ports[port=0,protocol="TCP"].prt: field not declared in schema',
    });
  });

  it.each([
    [
      'a quota',
      403,
      'services "web" is forbidden: exceeded quota: few, requested: services=1, used: services=1, limited: services=1',
      'quotaExceeded',
      'the cluster refuses Deployment shop/api: exceeded quota: few, requested: services=1, used: services=1, limited: services=1',
    ],
    [
      'a webhook',
      400,
      'admission webhook "no.example.test" denied the request: no label "team"',
      'admissionDenied',
      'a policy of the cluster refuses Deployment shop/api: admission webhook "no.example.test" denied the request: no label "team"',
    ],
    [
      'a policy',
      422,
      `deployments.apps "api" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'few' denied request: at most 3 replicas`,
      'admissionDenied',
      `a policy of the cluster refuses Deployment shop/api: ValidatingAdmissionPolicy 'few' with binding 'few' denied request: at most 3 replicas`,
    ],
  ])('says what %s refuses', (_name, code, message, expected, told) => {
    expect(problemOfStatus({ code, message }, subject)).toMatchObject({ code: expected, message: told });
  });

  it.each([
    ['a webhook that takes too long', 500, 'failed calling webhook "x": Post "https://x": context deadline exceeded', 'clusterFailed'],
    ['a store that is busy', 500, 'etcdserver: request timed out', 'clusterFailed'],
    ['a server that limits requests', 429, 'too many requests, please try again later', 'clusterUnreachable'],
    ['a server that starts', 503, 'the server is currently unable to handle the request', 'clusterUnreachable'],
    ['somebody who was faster', 409, 'Operation cannot be fulfilled: the object has been modified', 'objectConflict'],
    [
      'numbers of a quota that are not there yet',
      403,
      'pods "x" is forbidden: status unknown for quota: q, resources: pods',
      'clusterRefused',
    ],
    ['a kind whose definition is new', 404, 'the server could not find the requested resource', 'objectNotFound'],
    [
      'a namespace that goes',
      403,
      'configmaps "x" is forbidden: unable to create new content in namespace shop because it is being terminated',
      'stillTerminating',
    ],
  ])('is tried again after %s', (_name, code, message, expected) => {
    expect(problemOfStatus({ code, message }, subject)).toMatchObject({ code: expected, retry: 'afterDelay' });
  });

  it('says who manages a field that is in conflict', () => {
    const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl"', field: '.spec.replicas' }];
    expect(problemOfStatus({ code: 409, message: 'x', details: { causes } }, subject)).toMatchObject({
      code: 'objectConflict',
      message: 'Deployment shop/api has fields that others manage: spec.replicas (conflict with "kubectl")',
      retry: 'whenInputChanges',
    });
  });

  it.each([
    [401, 'clusterRefused', 3],
    [403, 'clusterRefused', 1],
    [404, 'objectNotFound', 1],
    [409, 'objectConflict', 1],
    [410, 'versionExpired', 1],
    [400, 'objectInvalid', 1],
    [500, 'clusterFailed', 1],
    [503, 'clusterUnreachable', 3],
  ])('makes of %d the code %s', (code, expected, exitCode) => {
    expect(problemOfStatus({ code, message: 'because' }, subject)).toMatchObject({ code: expected, exitCode });
  });

  it('has a message of one line, with the rest as detail', () => {
    const problem = problemOfStatus({ code: 500, message: 'first.\nsecond' }, subject);
    expect(problem).toMatchObject({ message: 'the cluster failed for Deployment shop/api: first', detail: 'first.\nsecond' });
  });
});

describe('unreachableProblem', () => {
  const target = { context: 'kind-a', cluster: 'kind-a', server: 'https://127.0.0.1:6443', namespace: 'default', files: [] };

  it('names server and context', () => {
    expect(unreachableProblem(new Error('connect ECONNREFUSED'), target)).toMatchObject({
      code: 'clusterUnreachable',
      message: 'the cluster at https://127.0.0.1:6443 (context kind-a) does not answer: connect ECONNREFUSED',
      exitCode: 3,
    });
  });

  it('tells each of several attempts', () => {
    const error = new AggregateError([new Error('connect ECONNREFUSED ::1'), new Error('connect ECONNREFUSED 127.0.0.1')], '');
    expect(unreachableProblem(error, target).message).toContain('connect ECONNREFUSED ::1, connect ECONNREFUSED 127.0.0.1');
  });
});
