export * from './build';
export * from './builder';
export * from './limitBuilds';
export * from './records';
