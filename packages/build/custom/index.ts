export { customBuilder } from './customBuilder';
