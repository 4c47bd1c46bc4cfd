export * from './buildxBuilder';
