export { layersBuilder, type LayersBuilder } from './layersBuilder';
