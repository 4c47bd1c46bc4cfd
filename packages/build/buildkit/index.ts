export * from './buildkitBuilder';
