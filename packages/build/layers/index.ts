export { layersBuilder } from './layersBuilder';
