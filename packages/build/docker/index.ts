export * from './dockerBuilder';
