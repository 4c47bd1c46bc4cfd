export { dockerAndLayersBuilder } from './dockerAndLayersBuilder';
