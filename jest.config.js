// Tests run as compiled by `npm run build`: what is tested is what is published.
const common = { testEnvironment: 'node', transform: {} };

/** @type {import('jest').Config} */
module.exports = {
  // It ends what hangs, and measures nothing: a busy machine takes ten times as long as a quiet one.
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', rootDir: 'dist', testMatch: ['<rootDir>/**/*.spec.js'], testPathIgnorePatterns: ['<rootDir>/e2e/'] },
    {
      ...common,
      displayName: 'e2e',
      rootDir: 'dist/e2e',
      testMatch: ['<rootDir>/**/*.e2e.js'],
      testPathIgnorePatterns: process.env.SLIPWAY_FULL ? [] : ['\\.full\\.e2e\\.js$'],
      globalSetup: '<rootDir>/packShop.js',
    },
  ],
};
